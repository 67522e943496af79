import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// Threads and processes that tests start from sources have their types stripped by WebAssembly in Node, each anew, and V8
// may crash when such a thread ends while others run. What is in the cache has no types any more; it starts faster, too.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/studs', import.meta.url))

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
