/**
 * Load: what a request or a call costs the server in CPU time, beside other servers that do comparable work. The server
 * runs on core 0, the generator on core 1; read the ratios, not the absolute figures.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
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

const generatorCore = 1
const warmUp = { rate: 2000, seconds: 4 }
const rounds = 3
const openLoad = { rate: 3000, seconds: 5 }
const digestLoad = { rate: 1500, seconds: 5 }
const callLoad = { rate: 100, warmUpCalls: 300, calls: 1000, pauseMs: 200 }
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

interface RegisterLoad {
  readonly rate: number
  readonly seconds: number
}

interface Row {
  readonly server: LoadedServer
  readonly cpuUs: number
  readonly result: string
  readonly extra: readonly string[]
}

/** Runs the suite. */
export async function loadSuite(): Promise<Report> {
  const remarks: string[] = []
  const open = await withServers(openRegistrars, remarks, (servers) => registerLoad(servers, openLoad, 'none'))
  const digest = await withServers(digestRegistrars, remarks, (servers) => registerLoad(servers, digestLoad, 'digest'))
  const tables = [
    table(
      `REGISTER without authentication, ${openLoad.rate}/s, ${userCount} users`,
      'CPU µs/request',
      ['p50 µs', 'p99 µs'],
      open,
    ),
    table(
      `REGISTER with digest (401, then 200), ${digestLoad.rate}/s`,
      'CPU µs/registration',
      ['p50 µs', 'p99 µs'],
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

/** Loads the servers in turn, several times over; of each the cheapest round counts, which others disturbed least. */
async function registerLoad(servers: readonly LoadedServer[], load: RegisterLoad, mode: 'none' | 'digest'): Promise<Row[]> {
  const best = new Map<LoadedServer, Row>()
  for (const server of servers) await generate(server, warmUp, mode)
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      const before = cpuMicroseconds(server.pid)
      const result = await generate(server, load, mode)
      const cpuUs = (cpuMicroseconds(server.pid) - before) / Math.max(1, result.registered)
      if (cpuUs >= (best.get(server)?.cpuUs ?? Number.POSITIVE_INFINITY)) continue
      best.set(server, {
        server,
        cpuUs,
        result: `${result.registered} of ${result.begun}`,
        extra: [figure(result.latencyUsP50), figure(result.latencyUsP99)],
      })
    }
  }
  return [...best.values()]
}

async function generate(
  server: LoadedServer,
  load: { rate: number; seconds: number },
  mode: string,
): Promise<GeneratorResult> {
  const args = [server.port, load.rate, load.seconds, userCount, mode].map(String)
  const generator = startPinned(generatorCore, process.execPath, [path('./register-generator.ts'), ...args])
  const code = await generator.exited
  const result = JSON.parse(generator.output().trim().split('\n').at(-1) ?? '{}') as GeneratorResult
  // Half of the answers missing or refused is no measurement, whatever the CPU says.
  if (code !== 0 || result.registered < result.begun / 2) {
    throw new Error(
      `${server.name} answered ${result.registered} of ${result.begun} registrations, refused ${result.refused}`,
    )
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
  const cost = (name: string): number => rows.find((row) => row.server.name === name)?.cpuUs ?? Number.NaN
  return {
    name: 'a REGISTER costs less CPU than with npm sip',
    isMet: cost('carillon') < cost('sip'),
    detail: `${figure(cost('carillon'))} µs against ${figure(cost('sip'))} µs`,
  }
}
