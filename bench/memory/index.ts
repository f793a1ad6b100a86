/**
 * Memory: after 10 000 registrations and 1 000 calls have ended, as many objects of each class of the packages live as
 * before the first of them. Server and phones run in this process over loopback, with the timers of RFC 3261, so the
 * last transactions take half a minute to go.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer, loadConfig, StaticUserStore } from '@carillon/server'
import type { Report } from '../support/report.ts'
import { countLiving, type ProjectClass, projectClasses } from './classes.ts'
import { type CallKind, Phones } from './phones.ts'

const domain = 'carillon.test'
const registrations = 10_000
const calls = 1_000
const atATime = 50
/** Timers B, F, H and J end what is left of a transaction after 32 s (RFC 3261 §17). */
const settleMs = 90_000
/** Whom the calls go to; the first digit tells the phones what to do. */
const callees: Readonly<Record<CallKind, string>> = { answered: '3000', cancelled: '4000', busy: '5000' }
const nonceLifetimeMs = 10_000
const settings = {
  CARILLON_SIP_LISTEN: 'udp://127.0.0.1:0',
  CARILLON_DOMAIN: domain,
  CARILLON_MEDIA_ADDRESS: '127.0.0.1',
  CARILLON_MEDIA_PORTS: '20000-27999',
  CARILLON_AUTH_NONCE_LIFETIME_MS: String(nonceLifetimeMs),
  CARILLON_LOG_LEVEL: 'silent',
}

/** Runs the suite. */
export async function memorySuite(): Promise<Report> {
  const { config } = loadConfig({ env: settings, flags: {}, cwd: process.cwd() })
  const users = new StaticUserStore(allUsers().map((extension) => ({ extension, password: 'secret' })))
  const server = createServer(config, { users })
  await server.start()
  const phones = await Phones.open(server.addresses[0]?.port ?? 0, domain)
  const isIdle = (): boolean => server.stats().stack.transactions === 0 && phones.transactions === 0
  try {
    for (const callee of Object.values(callees)) await phones.register(callee, 7200)
    // What is made once and kept, such as a table made on first use, is not growth: a few of everything go first.
    await inBatches(20, (index) => phones.register(registering(index), 60))
    await inBatches(20, (index) => phones.register(registering(index), 0))
    await inBatches(20, (index) => callOnce(phones, index))
    await waitUntil(isIdle)
    const classes = projectClasses()
    const before = countAll(classes)
    const heapBefore = process.memoryUsage().heapUsed

    await inBatches(registrations, (index) => phones.register(registering(index), 3600))
    const registered = server.stats().registrations
    const peak = await countWhileTalking(phones, classes)
    await inBatches(calls - atATime, (index) => callOnce(phones, index))
    await inBatches(registrations, (index) => phones.register(registering(index), 0))
    // Used nonces are remembered for their lifetime, and forgotten when the next one is looked up.
    await sleep(nonceLifetimeMs + 1000)
    await phones.register(callees.answered, 7200)
    await waitUntil(isIdle)

    const after = await countUntilBack(classes, before)
    const heapKb = (process.memoryUsage().heapUsed - heapBefore) / 1024
    return report(
      classes.map((item, index) => ({
        item,
        before: before[index] ?? 0,
        peak: peak[index] ?? 0,
        after: after[index] ?? 0,
      })),
      registered - Object.keys(callees).length,
      heapKb,
    )
  } finally {
    await phones.close()
    await server.stop({ drainTimeoutMs: 0 })
  }
}

interface Row {
  readonly item: ProjectClass
  readonly before: number
  readonly peak: number
  readonly after: number
}

function report(rows: readonly Row[], registered: number, heapKb: number): Report {
  const moved = rows.filter((row) => row.peak !== row.before || row.after !== row.before)
  const left = rows.filter((row) => row.after > row.before)
  const seen = rows.reduce((sum, row) => sum + row.peak - row.before, 0)
  return {
    title: 'Memory',
    tables: [
      {
        title: `objects of ${rows.length} classes, after ${registrations} registrations and ${calls} calls have ended`,
        note: 'Before, with everything registered and some calls up, and after. Classes whose count never moved are left out.',
        columns: [
          { title: 'package' },
          { title: 'class' },
          { title: 'before', isNumber: true },
          { title: 'peak', isNumber: true },
          { title: 'after', isNumber: true },
          { title: 'grown', isNumber: true },
        ],
        rows: moved
          .toSorted(
            (a, b) => a.item.packageName.localeCompare(b.item.packageName) || a.item.name.localeCompare(b.item.name),
          )
          .map(({ item, before, peak, after }) => [
            item.packageName,
            item.name,
            ...[before, peak, after, after - before].map(String),
          ]),
      },
    ],
    verdicts: [
      {
        name: 'no class of the packages has more living objects than before',
        isMet: left.length === 0,
        detail:
          left.length === 0
            ? 'grown by 0'
            : left.map((row) => `${row.item.name} +${row.after - row.before}`).join(', '),
      },
      {
        name: 'the count sees what lives',
        isMet: registered === registrations && seen > registrations,
        detail: `${registered} registrations at the peak, ${seen} objects more than before`,
      },
    ],
    remarks: [`heap: ${heapKb.toFixed(0)} KB more than before, compiled code and the like included`],
  }
}

/** Makes answered calls, and counts while all of them are up. */
async function countWhileTalking(phones: Phones, classes: readonly ProjectClass[]): Promise<number[]> {
  let counts: number[] = []
  let up = 0
  let release = (): void => {}
  const counted = new Promise<void>((resolve) => {
    release = resolve
  })
  await inBatches(atATime, (index) =>
    phones.call(registering(index), callees.answered, 'answered', async () => {
      if (++up === atATime) {
        counts = countAll(classes)
        release()
      }
      await counted
    }),
  )
  return counts
}

function callOnce(phones: Phones, index: number): Promise<void> {
  const kind: CallKind = index % 10 === 8 ? 'cancelled' : index % 10 === 9 ? 'busy' : 'answered'
  return phones.call(registering(index), callees[kind], kind, async () => {})
}

async function inBatches(total: number, work: (index: number) => Promise<void>): Promise<void> {
  for (let first = 0; first < total; first += atATime) {
    const size = Math.min(atATime, total - first)
    await Promise.all(Array.from({ length: size }, (_, offset) => work(first + offset)))
  }
}

function countAll(classes: readonly ProjectClass[]): number[] {
  return classes.map((item) => countLiving(item.type))
}

async function countUntilBack(classes: readonly ProjectClass[], before: readonly number[]): Promise<number[]> {
  const until = performance.now() + settleMs
  for (;;) {
    const counts = countAll(classes)
    if (counts.every((living, index) => living <= (before[index] ?? 0)) || performance.now() > until) return counts
    await sleep(2000)
  }
}

async function waitUntil(isTrue: () => boolean): Promise<void> {
  const until = performance.now() + settleMs
  while (!isTrue()) {
    if (performance.now() > until)
      throw new Error(`transactions still live ${settleMs / 1000} s after the last request`)
    await sleep(200)
  }
}

function allUsers(): string[] {
  return [...Object.values(callees), ...Array.from({ length: registrations }, (_, index) => registering(index))]
}

function registering(index: number): string {
  return `7${String(index).padStart(5, '0')}`
}
