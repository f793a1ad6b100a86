import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    sdp: 'src/sdp/index.ts',
    testing: 'src/testing/index.ts',
    cli: 'src/cli/index.ts',
  },
  format: ['esm', 'cjs'],
  dts: { entry: { index: 'src/index.ts', sdp: 'src/sdp/index.ts', testing: 'src/testing/index.ts' } },
  target: 'es2022',
  platform: 'node',
  clean: true,
  sourcemap: true,
  splitting: true,
  treeshake: true,
})
