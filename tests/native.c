/* Functions to be measured without the interpreter. Those whose names begin with "writes" break the contract. */
#include <stdint.h>
#include <time.h>

double rosenbrock(const double *x, intptr_t n, void *data) {
    double s = 0;
    (void)data;
    for (intptr_t i = 0; i + 1 < n; i++) {
        double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
        s += 100 * a * a + b * b;
    }
    return s;
}
double p(const double *x, intptr_t n) { return rosenbrock(x, n, 0); }
double np(intptr_t n, const double *x) { return rosenbrock(x, n, 0); }
double npd(intptr_t n, const double *x, void *data) { return *(double *)data * rosenbrock(x, n, 0); }
double pi(const double *x, int n) { return rosenbrock(x, n, 0); }
double pid(const double *x, int n, void *data) { return *(double *)data * rosenbrock(x, n, 0); }
double ip(int n, const double *x) { return rosenbrock(x, n, 0); }
double ipd(int n, const double *x, void *data) { return *(double *)data * rosenbrock(x, n, 0); }
double scaled(const double *x, intptr_t n, void *data) { return *(double *)data * rosenbrock(x, n, 0); }

/* Counts its calls. */
double counted(const double *x, intptr_t n, void *data) {
    ++*(intptr_t *)data;
    return rosenbrock(x, n, 0);
}
double writes_last(double *x, intptr_t n, void *data) {
    double s = rosenbrock(x, n, data);
    x[n - 1] += 1;
    return s;
}
/* Once, at the call that data says. */
double writes_once(double *x, intptr_t n, void *data) {
    double s = rosenbrock(x, n, 0);
    if (--*(intptr_t *)data == 0) x[n / 2] = 5;
    return s;
}
/* At every other call, and takes it back at the next: data are how many calls there were, and where it writes. */
double writes_and_takes_back(double *x, intptr_t n, void *data) {
    static double before;
    intptr_t *calls = data, at = calls[1];
    double s = rosenbrock(x, n, 0);
    if (calls[0]++ % 2 == 0) {
        before = x[at];
        x[at] += 1;
    } else
        x[at] = before;
    return s;
}
double slow(const double *x, intptr_t n, void *data) {
    struct timespec t = {0, 2000000};
    (void)data;
    nanosleep(&t, 0);
    return rosenbrock(x, n, 0);
}

void tridiagonal(const double *x, double *y, intptr_t n, intptr_t m, void *data) {
    (void)data;
    for (intptr_t i = 0; i < m; i++)
        y[i] = (3 - 2 * x[i % n]) * x[i % n] + 1 - (i > 0 ? x[(i - 1) % n] : 0) - 2 * (i + 1 < n ? x[i + 1] : 0);
}
void v(const double *x, double *y, intptr_t n, intptr_t m) { tridiagonal(x, y, n, m, 0); }
void vi(const double *x, double *y, int n, int m) { tridiagonal(x, y, n, m, 0); }
void vid(const double *x, double *y, int n, int m, void *data) {
    tridiagonal(x, y, n, m, 0);
    for (int i = 0; i < m; i++) y[i] *= *(double *)data;
}
void writes_vector(double *x, double *y, intptr_t n, intptr_t m, void *data) {
    tridiagonal(x, y, n, m, data);
    x[0] = 7;
}
void leaves_out(const double *x, double *y, intptr_t n, intptr_t m, void *data) {
    (void)n, (void)m, (void)data;
    y[0] = 2 * x[0];
}
