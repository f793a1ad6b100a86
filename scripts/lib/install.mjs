/**
 * Installs the workspace with the pinned pnpm, only when what decides the outcome has changed since the last time.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { PINNED_NODE } from './tools.mjs'

export const PNPM = 'pnpm@12.21.0'
const OLDEST_NODE = [20, 19]
const STAMP = 'node_modules/.carillon/installed'
/** Few downloads at a time, and a short wait: behind many proxies a burst of connections makes some of them stall. */
const PATIENCE = ['--network-concurrency=8', '--fetch-timeout=10000']
/** What running the server does not need: peers to measure against, linters, release tools. */
const WITHOUT_TOOLS = ['--filter', '!@carillon/bench', '--filter', '!@carillon/test']

/**
 * Brings node_modules in line with the lock file; throws with one line when the host or the registry will not do.
 * Without `tools`, only what building and running needs is installed, so that a first start is quick.
 */
export async function ensureInstalled({ tools }) {
  requireHostNode()
  const key = installKey()
  const have = existsSync(STAMP) && existsSync(PINNED_NODE) ? readFileSync(STAMP, 'utf8') : ''
  if (have === `${key} all` || (!tools && have === `${key} server`)) return
  console.log('Installing dependencies …')
  const code = runPnpm([
    'install',
    '--frozen-lockfile',
    '--reporter=append-only',
    ...PATIENCE,
    ...(tools ? [] : WITHOUT_TOOLS),
  ])
  if (code !== 0) throw new Error(`Installing failed (pnpm exited with ${code}); see the lines above.`)
  if (!existsSync(PINNED_NODE)) throw new Error('The pinned Node was not installed; is the npm registry reachable?')
  mkdirSync('node_modules/.carillon', { recursive: true })
  writeFileSync(STAMP, `${key} ${tools ? 'all' : 'server'}`)
}

/** Runs the pinned pnpm through npx and returns its exit code. Quiet unless it fails. */
export function runPnpm(args, options = {}) {
  const result = spawnSync('npx', ['--yes', PNPM, ...args], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
    ...options,
  })
  if (result.status !== 0) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`)
  return result.status ?? 1
}

function requireHostNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return
  throw new Error(`Carillon needs Node ${OLDEST_NODE.join('.')} or newer to start; this is ${process.versions.node}.`)
}

function installKey() {
  const hash = createHash('sha256').update(`${PNPM} ${process.platform} ${process.arch}`)
  const manifests = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'bench/package.json', 'test/package.json']
  for (const name of readdirSync('packages').sort()) manifests.push(`packages/${name}/package.json`)
  for (const file of manifests) if (existsSync(file)) hash.update(file).update(readFileSync(file))
  return hash.digest('hex')
}
