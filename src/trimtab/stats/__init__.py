"""MATHS: pure statistics, arrays in and numbers out, one method a file; import the module that you need."""
