"""The checks of Jacobians and Hessians."""
