/**
 * Load: what a request or a call costs the server in CPU time, beside other servers that do comparable work. The server
 * runs on core 0, the generator on core 1; read the ratios, not the absolute figures.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { figure, type Report, ratio, type Table, type Verdict } from '../support/report.ts'
import { calleeColumns, calleeLoad, calleeVerdicts } from './callee.ts'
import { generatorCore, runGenerator } from './generator.ts'
import { cpuMicroseconds, isOnPath, startPinned } from './pinned.ts'
import { forkedRemark, type ProxiedLoad, proxiedLoad, proxiedLoads, proxiedVerdicts } from './proxied.ts'
import type { GeneratorResult } from './request-generator.ts'
import { costOf, costVerdict, measureRounds, type RoundResult, roundColumns, settleSeconds } from './rounds.ts'
import type { Row } from './row.ts'
import {
  bridges,
  callees,
  callServers,
  digestRegistrars,
  firstUser,
  freeUdpPort,
  type LoadedServer,
  openRegistrars,
  optionsResponders,
  proxies,
  type ServerKind,
  userCount,
} from './servers.ts'

const ratioMax = 1.5
/** Requests, or registrations, a second: a core that mostly waits pays for its waking up, not for its work. */
const rates = { options: 15_000, register: 15_000, digest: 5000 } as const
type Task = keyof typeof rates
const callLoad = { rate: 100, warmUpCalls: 300, calls: 1000, pauseMs: 200 }
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** Runs the suite. */
export async function loadSuite(): Promise<Report> {
  if (!existsSync('/proc/self/stat')) throw new Error('the load suite reads CPU times from /proc: it needs Linux')
  const remarks: string[] = []
  const requests = async (kinds: readonly ServerKind[], task: Task): Promise<Row[]> =>
    withServers(kinds, remarks, (servers) => requestLoad(servers, task))
  const options = await requests(optionsResponders, 'options')
  const open = await requests(openRegistrars, 'register')
  const digest = await requests(digestRegistrars, 'digest')
  const callee = await withServers(callees, remarks, calleeLoad)
  const { many, few, forked } = proxiedLoads
  const proxied = async (kinds: readonly ServerKind[], load: ProxiedLoad): Promise<Row[]> =>
    withServers(kinds, remarks, (servers) => proxiedLoad(servers, load))
  const proxiedRows = {
    many: await proxied(proxies, many),
    few: await proxied(proxies.slice(0, 1), few),
    forked: await proxied(proxies.slice(0, 1), forked),
    bridged: await proxied(bridges, many),
  }
  remarks.push(forkedRemark(proxiedRows))
  const tables = [
    table(`OPTIONS answered, ${rates.options}/s`, 'CPU µs/request', roundColumns, options),
    table(
      `REGISTER without authentication, ${rates.register}/s, ${userCount} users`,
      'CPU µs/request',
      roundColumns,
      open,
    ),
    table(`REGISTER with digest (401, then 200), ${rates.digest}/s`, 'CPU µs/registration', roundColumns, digest),
    table('calls answered (INVITE, 200, ACK, BYE, 200), up to the knee', 'CPU µs/call', calleeColumns, callee),
    callTable(`calls proxied (7 messages, Record-Route), ${many.rate}/s`, proxiedRows.many),
    callTable(`calls proxied (7 messages, Record-Route), ${few.rate}/s`, proxiedRows.few),
    callTable(`calls proxied to ten, one of whom answers, ${forked.rate}/s`, proxiedRows.forked),
    callTable(`calls bridged, ${many.rate}/s`, proxiedRows.bridged),
  ]
  if (isOnPath('sipp')) {
    const calls = await withServers(callServers, remarks, callsLoad)
    tables.push(
      table(`calls by SIPp (INVITE, 407, INVITE, 180, 200, ACK, BYE), ${callLoad.rate}/s`, 'CPU µs/call', [], calls),
    )
  } else {
    remarks.push('calls not measured: SIPp (Debian package sip-tester) is not installed')
  }
  const verdicts = [
    ratioVerdict('an OPTIONS answered', options),
    ratioVerdict('a REGISTER without authentication', open),
    ratioVerdict('a REGISTER with digest', digest),
    ...calleeVerdicts(),
    ...proxiedVerdicts(proxiedRows),
  ]
  return { title: 'Load', tables, verdicts, remarks: [...new Set(remarks)] }
}

const callTable = (title: string, rows: readonly Row[]): Table => table(title, 'CPU µs/call', roundColumns, rows)

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

/** Loads each server until it carries what it keeps of finished requests, then measures. */
async function requestLoad(servers: readonly LoadedServer[], task: Task): Promise<Row[]> {
  for (const server of servers) await generate(server, task, settleSeconds)
  return measureRounds(servers, (server, seconds) => generate(server, task, seconds))
}

async function generate(server: LoadedServer, task: Task, seconds: number): Promise<RoundResult> {
  const args = [server.port, rates[task], seconds, userCount, task]
  const result = await runGenerator<GeneratorResult>('./request-generator.ts', args)
  // Half of the answers missing or refused is no measurement, whatever the CPU says.
  if (result.answered < result.begun / 2) {
    const answered = `${server.name} answered ${result.answered} of ${result.begun}, refused ${result.refused}`
    throw new Error(`${answered}; it wrote:\n${server.output().slice(-2000)}`)
  }
  return { ...result, done: result.answered }
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

/** Carillon's first row against Kamailio's. */
function ratioVerdict(what: string, rows: readonly Row[]): Verdict {
  return costVerdict(what, costOf(rows, 'carillon'), costOf(rows, 'kamailio'), ratioMax, 'Kamailio')
}
