/**
 * Load: what a request or a call costs the server in CPU time, beside other servers that do comparable work. The server
 * runs on core 0, the generator on core 1; read the ratios, not the absolute figures.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { figure, type Report, ratio, type Table, type Verdict } from '../support/report.ts'
import { cpuMicroseconds, isOnPath, startPinned } from './pinned.ts'
import type { GeneratorResult } from './register-generator.ts'
import {
  callServers,
  digestRegistrars,
  firstUser,
  freeUdpPort,
  type LoadedServer,
  openRegistrars,
  type ServerKind,
  userCount,
} from './servers.ts'

const generatorCore = availableParallelism() > 1 ? 1 : 0
const settleSeconds = 34
const measuredSeconds = 12
/** Of which the median counts; the machine is never quite idle. */
const rounds = 3
const openRate = 3000
const digestRate = 1500
const callLoad = { rate: 100, warmUpCalls: 300, calls: 1000, pauseMs: 200 }
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

interface Row {
  readonly server: LoadedServer
  readonly cpuUs: number
  /** The lowest and the highest of the rounds. */
  readonly range?: readonly [number, number]
  readonly result: string
  readonly extra: readonly string[]
}

/** Runs the suite. */
export async function loadSuite(): Promise<Report> {
  if (!existsSync('/proc/self/stat')) throw new Error('the load suite reads CPU times from /proc: it needs Linux')
  const remarks: string[] = []
  const open = await withServers(openRegistrars, remarks, (servers) => registerLoad(servers, openRate, 'none'))
  const digest = await withServers(digestRegistrars, remarks, (servers) => registerLoad(servers, digestRate, 'digest'))
  const tables = [
    table(
      `REGISTER without authentication, ${openRate}/s, ${userCount} users`,
      'CPU µs/request',
      ['rounds', 'p50 µs', 'p99 µs'],
      open,
    ),
    table(
      `REGISTER with digest (401, then 200), ${digestRate}/s`,
      'CPU µs/registration',
      ['rounds', 'p50 µs', 'p99 µs'],
      digest,
    ),
  ]
  if (isOnPath('sipp')) {
    const calls = await withServers(callServers, remarks, callsLoad)
    tables.push(
      table(`calls by SIPp (INVITE, 407, INVITE, 180, 200, ACK, BYE), ${callLoad.rate}/s`, 'CPU µs/call', [], calls),
    )
  } else {
    remarks.push('calls not measured: SIPp (Debian package sip-tester) is not installed')
  }
  return { title: 'Load', tables, verdicts: [registerVerdict(open)], remarks: [...new Set(remarks)] }
}

/** Starts the servers that are installed, hands them over, and stops them. */
async function withServers(
  kinds: readonly ServerKind[],
  remarks: string[],
  use: (servers: readonly LoadedServer[]) => Promise<Row[]>,
): Promise<Row[]> {
  const servers: LoadedServer[] = []
  try {
    for (const kind of kinds) {
      const server = await kind.start()
      if (server === undefined) remarks.push(`${kind.name} not measured: it is not installed`)
      else servers.push(server)
    }
    return await use(servers)
  } finally {
    for (const server of servers) await server.stop()
  }
}

/**
 * Loads each server until it carries what it keeps of finished requests (32 s of them: Timer J, RFC 3261 §17.2.2), then
 * measures. A server that has just begun looks cheaper than it is.
 */
async function registerLoad(servers: readonly LoadedServer[], rate: number, mode: 'none' | 'digest'): Promise<Row[]> {
  const rows: Row[] = []
  for (const server of servers) {
    await generate(server, rate, settleSeconds, mode)
    const measured: { cpuUs: number; result: GeneratorResult }[] = []
    for (let round = 0; round < rounds; round++) {
      const before = cpuMicroseconds(server.pid)
      const result = await generate(server, rate, measuredSeconds, mode)
      measured.push({ cpuUs: (cpuMicroseconds(server.pid) - before) / Math.max(1, result.registered), result })
    }
    measured.sort((a, b) => a.cpuUs - b.cpuUs)
    const median = measured[rounds >> 1]
    const [lowest, highest] = [measured[0], measured[rounds - 1]]
    if (median === undefined || lowest === undefined || highest === undefined) continue
    const { registered, begun, latencyUsP50, latencyUsP99 } = median.result
    rows.push({
      server,
      cpuUs: median.cpuUs,
      range: [lowest.cpuUs, highest.cpuUs],
      result: `${registered} of ${begun}`,
      extra: [`${figure(lowest.cpuUs)} to ${figure(highest.cpuUs)}`, figure(latencyUsP50), figure(latencyUsP99)],
    })
  }
  return rows
}

async function generate(server: LoadedServer, rate: number, seconds: number, mode: string): Promise<GeneratorResult> {
  const args = [server.port, rate, seconds, userCount, mode].map(String)
  const generator = startPinned(generatorCore, process.execPath, [path('./register-generator.ts'), ...args])
  const code = await generator.exited
  if (code !== 0) throw new Error(`the generator ended with ${code}:\n${generator.output().slice(-2000)}`)
  const result = JSON.parse(generator.output().trim().split('\n').at(-1) ?? '{}') as GeneratorResult
  // Half of the answers missing or refused is no measurement, whatever the CPU says.
  if (result.registered < result.begun / 2) {
    const answered = `${server.name} answered ${result.registered} of ${result.begun} registrations, refused ${result.refused}`
    throw new Error(`${answered}; it wrote:\n${server.output().slice(-2000)}`)
  }
  return result
}

async function callsLoad(servers: readonly LoadedServer[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const server of servers) {
    const folder = mkdtempSync(join(tmpdir(), 'carillon-bench-calls-'))
    try {
      await sippCalls(server, folder, callLoad.warmUpCalls)
      const before = cpuMicroseconds(server.pid)
      await sippCalls(server, folder, callLoad.calls)
      const spent = cpuMicroseconds(server.pid) - before
      rows.push({ server, cpuUs: spent / callLoad.calls, result: `${callLoad.calls} of ${callLoad.calls}`, extra: [] })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return rows
}

async function sippCalls(server: LoadedServer, folder: string, calls: number): Promise<void> {
  const [caller, callee] = [firstUser, firstUser + 1]
  const calleePort = await freeUdpPort()
  const target = `127.0.0.1:${server.port}`
  const users = (user: number): string => {
    const file = join(folder, `${user}.csv`)
    writeFileSync(
      file,
      `SEQUENTIAL\n${user};[authentication username=${user} password=secret];${callee};carillon.test\n`,
    )
    return file
  }
  const sipp = (scenario: string, port: number, args: readonly string[]) =>
    startPinned(
      generatorCore,
      'sipp',
      [
        ...[
          '-sf',
          path(`../../test/interop/sipp/${scenario}.xml`),
          '-i',
          '127.0.0.1',
          '-p',
          String(port),
          '-mi',
          '127.0.0.1',
        ],
        ...['-r', String(callLoad.rate), '-l', String(calls), '-d', String(callLoad.pauseMs)],
        ...['-timeout', '60s', '-timeout_error', '-nostdin', ...args],
      ],
      {},
      folder,
    )
  const register = sipp('register', calleePort, [target, '-inf', users(callee), '-m', '1'])
  if ((await register.exited) !== 0)
    throw new Error(`SIPp could not register at ${server.name}:\n${register.output().slice(-1500)}`)
  const uas = sipp('uas', calleePort, ['-m', String(calls), '-mp', '30000'])
  await new Promise((resolve) => setTimeout(resolve, 500))
  const uac = sipp('uac', await freeUdpPort(), [target, '-inf', users(caller), '-m', String(calls), '-mp', '31000'])
  const codes = [await uac.exited, await uas.exited]
  if (codes.some((code) => code !== 0)) {
    throw new Error(`calls through ${server.name} failed:\n${uac.output().slice(-1500)}\n${uas.output().slice(-1500)}`)
  }
}

function table(title: string, unit: string, extra: readonly string[], rows: readonly Row[]): Table {
  const base = rows[0]?.cpuUs ?? Number.NaN
  return {
    title,
    columns: [
      { title: 'server' },
      { title: 'what it does' },
      { title: unit, isNumber: true },
      { title: 'ratio', isNumber: true },
      { title: 'done', isNumber: true },
      ...extra.map((name) => ({ title: name, isNumber: true })),
    ],
    rows: rows.map((row) => [
      row.server.name,
      row.server.does,
      figure(row.cpuUs),
      ratio(row.cpuUs, base),
      row.result,
      ...row.extra,
    ]),
  }
}

function registerVerdict(rows: readonly Row[]): Verdict {
  const own = rows.find((row) => row.server.name === 'carillon')
  const peer = rows.find((row) => row.server.name === 'sip')
  const [ownUs, peerUs] = [own?.cpuUs ?? Number.NaN, peer?.cpuUs ?? Number.NaN]
  // Said openly: a difference that the next run may turn round proves little.
  const isClear = (own?.range?.[1] ?? Number.NaN) < (peer?.range?.[0] ?? Number.NaN)
  const how = isClear ? 'every round' : 'medians only: the ranges of the rounds overlap'
  return {
    name: 'a REGISTER costs less CPU than with npm sip',
    isMet: ownUs < peerUs,
    detail: `${figure(ownUs)} µs against ${figure(peerUs)} µs, ${how}`,
  }
}
