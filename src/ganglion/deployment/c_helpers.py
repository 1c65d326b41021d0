"""The C functions that layers are made of; a file has those that its network needs, and no others.

`real` is float, or double where float has too few digits.
"""

from __future__ import annotations

FUNCTIONS = {
    "dense": """
static void dense(const real *w, const real *b, int n_out, int n_in, const real *x, real *y)
{
    for (int i = 0; i < n_out; i++) {
        real sum = b[i];
        for (int j = 0; j < n_in; j++) sum += w[(long)i * n_in + j] * x[j];
        y[i] = sum;
    }
}
""",
    "convolve": """
static void convolve(const real *w, const real *b, int n_out, int n_in, int kh, int kw, int h, int wd,
                     const real *x, real *y)
{
    for (int o = 0; o < n_out; o++)
        for (int r = 0; r < h; r++)
            for (int c = 0; c < wd; c++) {
                real sum = b[o];
                for (int i = 0; i < n_in; i++)
                    for (int p = 0; p < kh; p++) {
                        int rr = r + p - (kh - 1) / 2;
                        if (rr < 0 || rr >= h) continue;
                        for (int q = 0; q < kw; q++) {
                            int cc = c + q - (kw - 1) / 2;
                            if (cc < 0 || cc >= wd) continue;
                            sum += w[(((long)o * n_in + i) * kh + p) * kw + q] * x[((long)i * h + rr) * wd + cc];
                        }
                    }
                y[((long)o * h + r) * wd + c] = sum;
            }
}
""",
    "quantize": """
/* Whole numbers from -127 to 127 in place of x, and what one of them is worth. */
static real quantize(const real *x, int n, signed char *q)
{
    real most = 0;
    for (int i = 0; i < n; i++) {
        real size = x[i] < 0 ? -x[i] : x[i];
        if (size > most) most = size;
    }
    for (int i = 0; i < n; i++)
        q[i] = (signed char)(most > 0 ? (x[i] * 127 / most) + (x[i] < 0 ? (real)-0.5 : (real)0.5) : 0);
    return most / 127;
}
""",
    "dense_int8": """
static void dense_int8(const signed char *w, const real *s, const real *b, int n_out, int n_in,
                       const real *x, real *y, signed char *q)
{
    real unit = quantize(x, n_in, q);
    for (int i = 0; i < n_out; i++) {
        int32_t sum = 0;
        for (int j = 0; j < n_in; j++) sum += (int32_t)w[(long)i * n_in + j] * q[j];
        y[i] = b[i] + (real)sum * unit * s[i];
    }
}
""",
    "convolve_int8": """
static void convolve_int8(const signed char *w, const real *s, const real *b, int n_out, int n_in, int kh, int kw,
                          int h, int wd, const real *x, real *y, signed char *q)
{
    real unit = quantize(x, n_in * h * wd, q);
    for (int o = 0; o < n_out; o++)
        for (int r = 0; r < h; r++)
            for (int c = 0; c < wd; c++) {
                int32_t sum = 0;
                for (int i = 0; i < n_in; i++)
                    for (int p = 0; p < kh; p++) {
                        int rr = r + p - (kh - 1) / 2;
                        if (rr < 0 || rr >= h) continue;
                        for (int k = 0; k < kw; k++) {
                            int cc = c + k - (kw - 1) / 2;
                            if (cc < 0 || cc >= wd) continue;
                            sum += (int32_t)w[(((long)o * n_in + i) * kh + p) * kw + k]
                                   * q[((long)i * h + rr) * wd + cc];
                        }
                    }
                y[((long)o * h + r) * wd + c] = b[o] + (real)sum * unit * s[o];
            }
}
""",
    "pool": """
static void pool(int max, int n, int h, int w, int ph, int pw, const real *x, real *y)
{
    for (int i = 0; i < n; i++)
        for (int r = 0; r < h; r += ph)
            for (int c = 0; c < w; c += pw) {
                real most = x[((long)i * h + r) * w + c], sum = 0;
                int seen = 0;
                for (int p = r; p < r + ph && p < h; p++)
                    for (int k = c; k < c + pw && k < w; k++, seen++) {
                        real v = x[((long)i * h + p) * w + k];
                        if (v > most) most = v;
                        sum += v;
                    }
                *y++ = max ? most : sum / (real)seen;
            }
}
""",
    "mean": """
static void mean(int n, int places, const real *x, real *y)
{
    for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int j = 0; j < places; j++) sum += (double)x[(long)i * places + j];
        y[i] = (real)(sum / places);
    }
}
""",
    "normalize": """
static void normalize(const real *w, const real *b, double eps, int n, const real *x, real *y)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++) sum += (double)x[i];
    sum /= n;
    for (int i = 0; i < n; i++) squares += ((double)x[i] - sum) * ((double)x[i] - sum);
    squares = 1 / sqrt(squares / n + eps);
    for (int i = 0; i < n; i++) y[i] = (real)(((double)x[i] - sum) * squares) * w[i] + b[i];
}
""",
    "add": """
static void add(int n, const real *x, real *y)
{
    for (int i = 0; i < n; i++) y[i] += x[i];
}
""",
}

# of one number, in double: a handful of them takes no time beside the products
ACTIVATIONS = {
    "celu": "x > 0 ? x : expm1(x)",
    "elu": "x > 0 ? x : expm1(x)",
    "gelu": "x * 0.5 * (1 + erf(x * 0.70710678118654752440))",
    "hardswish": "x * (x <= -3 ? 0 : x >= 3 ? 6 : x + 3) / 6",
    "leaky_relu": "x > 0 ? x : 0.01 * x",
    "mish": "x * tanh(x > 20 ? x : log1p(exp(x)))",
    "relu": "x > 0 ? x : 0",
    "relu6": "x > 6 ? 6 : x > 0 ? x : 0",
    "selu": "1.0507009873554804934193349852946 * (x > 0 ? x : 1.6732632423543772848170429916717 * expm1(x))",
    "sigmoid": "1 / (1 + exp(-x))",
    "silu": "x / (1 + exp(-x))",
    "softplus": "x > 20 ? x : log1p(exp(x))",
    "softsign": "x / (1 + fabs(x))",
    "tanh": "tanh(x)",
}


def activation(name: str) -> str:
    """Return the C function that applies an activation to n numbers in place."""
    return f"""
static void {name}(int n, real *y)
{{
    for (int i = 0; i < n; i++) {{
        double x = (double)y[i];
        y[i] = (real)({ACTIVATIONS[name]});
    }}
}}
"""
