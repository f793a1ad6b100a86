/**
 * The relay under load, beside rtpengine in user space: CPU per packet, loss, and what it adds to the way of a packet. The
 * relay runs on core 0, the generator on core 1; read the ratios, not the absolute figures.
 */
import { existsSync } from 'node:fs'
import { costOf, costVerdict, LostRound, measureRounds, type RoundResult, roundColumns } from '../load/rounds.ts'
import type { Row } from '../load/row.ts'
import { figure, type Report, ratio, type Table, type Verdict } from '../support/report.ts'
import { type Generator, openGenerator } from './generator.ts'
import { measureInProcess } from './in-process.ts'
import { type LoadedRelay, type RelayKind, startCarillon, startRtpengine } from './relays.ts'
import { streamCount } from './streams.ts'

const rates = [50_000, 100_000] as const
const required: Readonly<Record<RelayKind, number>> = { plain: 1.3, srtp: 1.4 }
const latencyMaxUs = 5000
const warmUpSeconds = 2
const kinds: Readonly<Record<RelayKind, string>> = {
  plain: 'RTP to RTP',
  srtp: 'RTP to SRTP (AES_CM_128_HMAC_SHA1_80)',
}

/** Runs the suite. */
export async function relaySuite(): Promise<Report> {
  if (!existsSync('/proc/self/stat')) throw new Error('the relay suite reads CPU times from /proc: it needs Linux')
  const remarks: string[] = []
  const tables: Table[] = []
  const verdicts: Verdict[] = []
  const generator = openGenerator()
  const possible = rates.filter((rate) => rate <= generator.rateMax)
  if (possible.length < rates.length) {
    remarks.push(
      `not over ${generator.rateMax} packets/s: rtpblast.c (CARILLON_TOOLS_DIR) or a C compiler is not there`,
    )
  }
  for (const kind of ['plain', 'srtp'] as const) {
    const relays = [await startCarillon(kind)]
    try {
      const peer = await startRtpengine(kind)
      if (peer === undefined)
        remarks.push('rtpengine not measured: it is not installed (Debian package rtpengine-daemon)')
      else relays.push(peer)
      for (const rate of possible) {
        const rows = await loadAt(relays, generator, rate, kind)
        tables.push(table(`${kinds[kind]}, ${rate} packets/s over ${streamCount} streams`, rows))
        verdicts.push(...judge(rows, kind, rate))
      }
    } finally {
      for (const relay of relays) await relay.stop()
    }
  }
  generator.dispose()
  const inProcess = await measureInProcess()
  tables.push(...inProcess.tables)
  verdicts.push(...inProcess.verdicts)
  return { title: 'Relay', tables, verdicts, remarks }
}

async function loadAt(
  relays: readonly LoadedRelay[],
  generator: Generator,
  rate: number,
  kind: RelayKind,
): Promise<Row[]> {
  const load = async (relay: LoadedRelay, seconds: number): Promise<RoundResult> => {
    const result = await generator.run(relay.freshStreams(), rate, seconds)
    if (result.done === 0)
      throw new LostRound(`${relay.name} passes nothing on; it wrote:\n${relay.output().slice(-2000)}`)
    // What is encrypted has no time of sending in it that the sink could read.
    return kind === 'plain' ? result : { ...result, latencyUsP50: Number.NaN, latencyUsP99: Number.NaN }
  }
  for (const relay of relays) await load(relay, warmUpSeconds)
  return measureRounds(relays, (server, seconds) => load(server as LoadedRelay, seconds))
}

function table(title: string, rows: readonly Row[]): Table {
  const base = rows.find((row) => row.server.name === 'rtpengine')?.cpuUs ?? Number.NaN
  return {
    title,
    columns: [
      { title: 'relay' },
      { title: 'does' },
      { title: 'CPU µs/packet', isNumber: true },
      { title: 'times rtpengine', isNumber: true },
      { title: 'arrived', isNumber: true },
      ...roundColumns.map((title) => ({ title, isNumber: true })),
    ],
    rows: rows.map(({ server, cpuUs, result, extra }) => [
      server.name,
      server.does,
      figure(cpuUs),
      ratio(cpuUs, base),
      result,
      ...extra,
    ]),
  }
}

function judge(rows: readonly Row[], kind: RelayKind, rate: number): Verdict[] {
  const own = rows.find((row) => row.server.name === 'carillon')
  if (own === undefined) return []
  const [arrived = 0, , sent = 1] = own.result.split(' ').map(Number)
  const found: Verdict[] = [
    {
      name: `${kinds[kind]}: nothing is lost at ${rate} packets/s`,
      isMet: arrived === sent,
      detail: own.result,
    },
  ]
  const peer = costOf(rows, 'rtpengine')
  if (Number.isFinite(peer)) {
    const what = `${kinds[kind]} at ${rate} packets/s: a packet`
    found.push(costVerdict(what, own.cpuUs, peer, required[kind], 'rtpengine'))
  }
  if (kind === 'plain') {
    const [, , p99 = ''] = own.extra
    found.push({
      name: `${kinds[kind]}: 99 of 100 packets come less than ${latencyMaxUs / 1000} ms later at ${rate} packets/s`,
      isMet: Number(p99) < latencyMaxUs,
      detail: `${p99} µs`,
    })
  }
  return found
}
