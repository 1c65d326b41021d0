"""Small programs, one for each library and kind of job: each runs in a fresh process of its library's environment.

They are started with `python -m benchmarks.contenders.KIND.NAME JOB`, where JOB is JSON, and print one line of JSON.
`harness` holds the clock. Importing the library and loading arrays lies outside it; all that the library does inside
`fit` lies within: late imports, compilation, conversion of the data.
"""
