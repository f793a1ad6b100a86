/**
 * Runs programs on the pinned Node, and keeps the counts of passed and failed checks for whoever sums them up.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's root. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The Node that the repository pins, as installed by the npm package `node`. */
export const PINNED_NODE = join(ROOT, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node')

/** Entry files of the development tools. */
export const TOOLS = {
  tsc: join(ROOT, 'node_modules/typescript/bin/tsc'),
  tsup: join(ROOT, 'node_modules/tsup/dist/cli-default.js'),
  biome: join(ROOT, 'test/node_modules/@biomejs/biome/bin/biome'),
  knip: join(ROOT, 'test/node_modules/knip/bin/knip.js'),
  vitest: join(ROOT, 'node_modules/vitest/vitest.mjs'),
  publint: join(ROOT, 'test/node_modules/publint/src/cli.js'),
  changeset: join(ROOT, 'test/node_modules/@changesets/cli/bin.js'),
  attw: join(ROOT, 'test/node_modules/@arethetypeswrong/cli/dist/index.js'),
}

/**
 * Runs a script on the pinned Node with this terminal. SIGTERM is passed on; SIGINT is not, because the terminal has
 * already sent it to the child as well.
 */
export function runPinned(args, options = {}) {
  return new Promise((done) => {
    const child = spawn(PINNED_NODE, args, { stdio: 'inherit', ...options })
    const onTerm = () => child.kill('SIGTERM')
    const onInt = () => {}
    process.on('SIGTERM', onTerm)
    process.on('SIGINT', onInt)
    child.on('error', (error) => {
      console.error(error.message)
      done(1)
    })
    child.on('exit', (code, signal) => {
      process.off('SIGTERM', onTerm)
      process.off('SIGINT', onInt)
      done(code ?? (signal ? 1 : 0))
    })
  })
}

/** Runs a script on the sources, without a build: what is being changed is what one wants to try. */
export function runFromSource(script, args, flags = []) {
  const source = ['--conditions=carillon-source', '--experimental-transform-types']
  const loader = ['--import', './test/support/from-source.mjs']
  return runPinned(['--disable-warning=ExperimentalWarning', ...source, ...loader, ...flags, script, ...args])
}

/** Runs a development tool with this terminal and returns its exit code. */
export function runTool(tool, args, options = {}) {
  return runPinned([tool, ...args], options)
}

/** Runs a tool, keeps its output, and returns both. */
export function runToolQuietly(tool, args, options = {}) {
  return new Promise((done) => {
    const child = spawn(PINNED_NODE, [tool, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', (error) => done({ code: 1, output: error.message }))
    child.on('exit', (code) => done({ code: code ?? 1, output }))
  })
}

/** Runs vitest; without arguments all projects, and then their counts are recorded. */
export async function runVitest(args) {
  const report = join(ROOT, 'node_modules/.carillon/vitest.json')
  if (args.length > 0) return runTool(TOOLS.vitest, ['run', ...args])
  mkdirSync('node_modules/.carillon', { recursive: true })
  rmSync(report, { force: true })
  const code = await runTool(TOOLS.vitest, [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ])
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites, testResults } = JSON.parse(
      readFileSync(report, 'utf8'),
    )
    recordFailures(testResults.flatMap(failuresOf))
    const failed = Math.max(numFailedTests, code === 0 ? 0 : 1, numFailedTests === 0 ? numFailedTestSuites : 0)
    recordStage('tests', numPassedTests, failed)
    if (numPendingTests > 0) console.log(`${numPendingTests} tests were skipped.`)
  } catch {
    recordStage('tests', 0, 1)
  }
  return code
}

/** What failed in one test file: each test with what it said, or the file itself when it could not be loaded. */
function failuresOf({ name, status, message, assertionResults }) {
  const failed = assertionResults.filter((result) => result.status === 'failed')
  const file = relative(ROOT, name)
  if (failed.length === 0) return status === 'failed' ? [`${file}\n${message}`] : []
  return failed.map((result) => `${file} > ${result.fullName}\n${result.failureMessages.join('\n')}`)
}

/** Appends what failed to the file that CARILLON_FAILURES names, if it names one; long texts are cut. */
export function recordFailures(texts) {
  const file = process.env.CARILLON_FAILURES
  const lines = texts.map((text) => `✗ ${text.split('\n').slice(0, 16).join('\n  ')}\n`)
  if (file && lines.length > 0) appendFileSync(file, lines.join(''))
}

/** Appends a line `name passed failed` to the file that CARILLON_SUMMARY names, if it names one. */
export function recordStage(name, passed, failed) {
  const file = process.env.CARILLON_SUMMARY
  if (file) appendFileSync(file, `${name.replaceAll(' ', '-')} ${passed} ${failed}\n`)
}
