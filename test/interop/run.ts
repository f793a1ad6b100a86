/**
 * Interop tests: the built server, and the stack in this process, against SIPp, sipsak, baresip, linphone, Chromium, Kamailio,
 * dnsmasq and sngrep from Debian packages, on loopback. Nothing is ever skipped: what cannot run fails.
 *
 *   node test/interop/run.ts [words of a case's name …]
 */
import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { InteropCase } from './case.ts'
import { bridgingCases } from './cases/bridging.ts'
import { browserCases } from './cases/browser.ts'
import { callCases } from './cases/calls.ts'
import { dialogCases } from './cases/dialogs.ts'
import { digestCases } from './cases/digest.ts'
import { hepCases } from './cases/hep.ts'
import { locatingCases } from './cases/locating.ts'
import { outboundCases } from './cases/outbound.ts'
import { phoneCases } from './cases/phones.ts'
import { presenceCases } from './cases/presence.ts'
import { proxyingCases } from './cases/proxying.ts'
import { raceCases } from './cases/races.ts'
import { registrationCases } from './cases/registration.ts'
import { secureCases } from './cases/secure.ts'
import { sessionTimerCases } from './cases/session-timers.ts'
import { shutdownCases } from './cases/shutdown.ts'
import { srtpCases } from './cases/srtp.ts'
import { ensurePeers } from './support/packages.ts'
import { Server } from './support/server.ts'

const caseTimeoutMs = 90_000
const allCases: readonly InteropCase[] = [
  ...registrationCases,
  ...outboundCases,
  ...digestCases,
  ...callCases,
  ...phoneCases,
  ...srtpCases,
  ...locatingCases,
  ...dialogCases,
  ...raceCases,
  ...bridgingCases,
  ...proxyingCases,
  ...presenceCases,
  ...sessionTimerCases,
  ...secureCases,
  ...browserCases,
  ...hepCases,
  ...shutdownCases,
]

async function main(): Promise<number> {
  const filter = process.argv.slice(2).join(' ').toLowerCase()
  const cases = allCases.filter((item) => item.name.toLowerCase().includes(filter))
  if (cases.length === 0) return refuse(`no interop case is called "${filter}"`)
  const built = fileURLToPath(new URL('../../packages/server/dist/cli.js', import.meta.url))
  if (!existsSync(built)) return refuse('the server is not built: run npm run build first')
  const missing = ensurePeers((line) => console.log(line))
  if (missing !== undefined) return refuse(missing)

  const workDir = mkdtempSync(join(tmpdir(), 'carillon-interop-'))
  let failed = 0
  let shared: Server | undefined
  try {
    for (const item of cases) {
      if (item.endsServer !== true) shared ??= await Server.start(workDir)
      if (!(await runCase(item, shared, workDir))) failed++
      if (shared?.program.hasExited === true) shared = undefined
    }
    if (shared !== undefined) await stopShared(shared)
  } finally {
    shared?.program.kill()
    rmSync(workDir, { recursive: true, force: true })
  }
  console.log(`${cases.length - failed} passed, ${failed} failed`)
  const summary = process.env.CARILLON_SUMMARY
  if (summary) appendFileSync(summary, `interop ${cases.length - failed} ${failed}\n`)
  return failed === 0 ? 0 : 1
}

async function runCase(item: InteropCase, shared: Server | undefined, parentDir: string): Promise<boolean> {
  const startedAt = performance.now()
  const workDir = mkdtempSync(join(parentDir, 'case-'))
  let server = shared
  const logged = shared?.program.written ?? 0
  try {
    if (item.endsServer === true) server = await Server.start(workDir, 'server of its own')
    if (server === undefined) throw new Error('there is no server')
    await withTimeout(item.run({ server, workDir }), caseTimeoutMs)
    if (item.endsServer !== true && server.program.hasExited) throw new Error('the server ended by itself')
    console.log(`✓ ${item.name} (${seconds(startedAt)})`)
    return true
  } catch (error) {
    console.log(`✗ ${item.name} (${seconds(startedAt)})`)
    const message = error instanceof Error ? error.message : String(error)
    console.log(indent(message))
    const failures = process.env.CARILLON_FAILURES
    if (failures) appendFileSync(failures, `✗ ${item.name}\n${indent(message.slice(0, 2000))}\n`)
    if (server !== undefined) console.log(indent(`--- ${server.program.name}\n${server.program.tail(25, logged)}`))
    return false
  } finally {
    if (item.endsServer === true) server?.program.kill()
  }
}

async function stopShared(server: Server): Promise<void> {
  server.program.signal('SIGTERM')
  const exit = await server.program.waitForExit(15_000)
  if (exit.code !== 0) throw new Error(`the server ended with ${exit.code ?? exit.signal} at the end of the tests`)
}

async function withTimeout(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${timeoutMs / 1000} s`)), timeoutMs)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

function refuse(line: string): number {
  console.error(line)
  return 1
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main().catch((error: unknown) =>
  refuse(error instanceof Error ? error.message : String(error)),
)
// A peer that hangs must not keep the tests alive.
process.exit()
