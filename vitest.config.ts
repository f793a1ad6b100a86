import { defineConfig } from 'vitest/config'

const sourceCondition = {
  resolve: { conditions: ['carillon-source'] },
  ssr: { resolve: { conditions: ['carillon-source', 'node'] } },
}

function project(name: string, include: string[], extra: object = {}) {
  return { ...sourceCondition, test: { name, include, environment: 'node' as const, ...extra } }
}

export default defineConfig({
  ...sourceCondition,
  test: {
    projects: [
      project('unit', ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts']),
      project('conformance', ['test/conformance/**/*.test.ts']),
      project('golden', ['test/golden/**/*.test.ts', 'test/contracts/**/*.test.ts']),
      project('simulation', ['test/simulation/**/*.test.ts', 'test/fuzz/**/*.test.ts'], { testTimeout: 60_000 }),
      project('integration', ['test/integration/**/*.test.ts', 'test/e2e/**/*.test.ts', 'test/soak/**/*.test.ts'], {
        testTimeout: 60_000,
      }),
      project('tidy', ['test/tidy/**/*.test.ts'], { testTimeout: 60_000 }),
    ],
  },
})
