"""fastgrad: numerical differentiation and gradient checking with compiled loops."""
