// A parser thread that dies while it is loaded.

throw new Error('the parser was told not to start')
