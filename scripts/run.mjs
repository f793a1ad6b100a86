#!/usr/bin/env node
/**
 * The one entry point behind every npm script. Has no dependency of its own: on a bare machine it fetches the pinned
 * pnpm through npx, installs when the lock file changed, builds when sources changed, and then runs the task on the
 * Node that the repository pins (the npm package `node`), whatever Node the host has.
 */
import { rmSync } from 'node:fs'
import { ensureBuilt } from './lib/build.mjs'
import { runExample } from './lib/example.mjs'
import { ensureInstalled } from './lib/install.mjs'
import { checkPackages } from './lib/packages.mjs'
import { ROOT, recordStage, runFromSource, runPinned, runTool, runVitest, TOOLS } from './lib/tools.mjs'

/** Tasks for which building and running is enough. */
const WITHOUT_TOOLS = new Set(['start', 'demo', 'build', 'clean', 'example'])

const SERVER = 'packages/server/bin/carillon.cjs'

const tasks = {
  async start(args) {
    await ensureBuilt()
    return runPinned([SERVER, 'start', ...args])
  },
  async demo(args) {
    await ensureBuilt()
    return runPinned(['packages/server/dist/demo.js', ...args])
  },
  async build() {
    await ensureBuilt({ force: true })
    return 0
  },
  async test(args) {
    if (args.length > 0) return runVitest(args)
    return inOrder([
      ['types', checkTypes],
      ['lint', () => runTool(TOOLS.biome, ['check', '--error-on-warnings', '.'])],
      ['dead code', () => runTool(TOOLS.knip, [])],
      ['build', () => ensureBuilt().then(() => 0)],
      ['tests', () => runVitest([])],
      ['packages', () => checkPackages({ nodeVersions: [] })],
    ])
  },
  async check(args) {
    await ensureBuilt()
    return checkPackages({ nodeVersions: args.length > 0 ? args : ['20', '22', '24', '26'] })
  },
  async interop(args) {
    await ensureBuilt()
    return runPinned(['test/interop/run.ts', ...args])
  },
  async bench(args) {
    await ensureBuilt()
    return runPinned(['bench/run.ts', ...args])
  },
  fuzz: (args) => runFromSource('test/fuzz/run.ts', args),
  sim: (args) => runFromSource('test/simulation/run.ts', args),
  soak: (args) => runFromSource('test/soak/run.ts', args),
  example: (args) => runExample(args),
  async format() {
    return runTool(TOOLS.biome, ['check', '--write', '.'])
  },
  async changeset(args) {
    return runTool(TOOLS.changeset, args)
  },
  async clean() {
    rmSync('node_modules/.carillon', { recursive: true, force: true })
    for (const name of ['sip-parser', 'sip-transaction', 'rtp-relay', 'server']) {
      rmSync(`packages/${name}/dist`, { recursive: true, force: true })
    }
    return 0
  },
}

/** The examples have a configuration of their own: they find the packages as programs outside of them do. */
async function checkTypes() {
  const codes = []
  for (const project of ['tsconfig.json', 'examples/tsconfig.json'])
    codes.push(await runTool(TOOLS.tsc, ['--noEmit', '-p', project]))
  return Math.max(...codes)
}

/** Runs every stage, also after one failed, so that one run shows all there is to mend. */
async function inOrder(stages) {
  const failed = []
  for (const [name, run] of stages) {
    const began = Date.now()
    console.log(`\n== ${name}`)
    const code = await run()
    if (name !== 'tests' && name !== 'packages') recordStage(name, code === 0 ? 1 : 0, code === 0 ? 0 : 1)
    if (code !== 0) failed.push(name)
    console.log(
      `== ${name}: ${code === 0 ? 'ok' : `FAILED (exit ${code})`} in ${((Date.now() - began) / 1000).toFixed(1)} s`,
    )
  }
  console.log(failed.length === 0 ? '\nAll stages passed.' : `\nFailed: ${failed.join(', ')}`)
  return failed.length === 0 ? 0 : 1
}

const [name, ...args] = process.argv.slice(2)
const task = Object.hasOwn(tasks, name ?? '') ? tasks[name] : undefined
if (!task) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(tasks).join('|')} [arguments]`)
  process.exit(2)
}
process.chdir(ROOT)
try {
  await ensureInstalled({ tools: !WITHOUT_TOOLS.has(name) })
  process.exitCode = await task(args)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
