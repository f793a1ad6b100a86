import { defineConfig } from 'tsup'

export default defineConfig({
  // The program of a worker is a file of its own: Node starts it, nobody imports it.
  entry: { index: 'src/index.ts', worker: 'src/worker/thread.ts' },
  format: ['esm', 'cjs'],
  dts: { entry: { index: 'src/index.ts' } },
  // import.meta.url in the CommonJS build: the worker is found beside the file that starts it.
  shims: true,
  target: 'es2022',
  platform: 'node',
  clean: true,
  sourcemap: true,
  splitting: true,
  treeshake: true,
})
