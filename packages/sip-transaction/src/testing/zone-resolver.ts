/**
 * A DNS resolver for tests: it answers from zone files, follows aliases, and fails, delays or falls silent where a test
 * wants it to.
 */
import type { Clock, DnsAnswer, DnsResolver, NaptrRecord, SrvRecord } from '../ports'
import { parseZone, type ZoneData, type ZoneRecord } from './zone'

/** What a resolver is made with. */
export interface ZoneResolverOptions {
  /** The text of a zone file; several may be joined. */
  readonly zone: string
  /** For delays. */
  readonly clock?: Clock
}

/** What a test can make of a question: `timeout` answers so, `silent` never answers before the question is given up. */
export type ZoneTrouble = 'failed' | 'timeout' | 'silent' | 'reject'

type QuestionType = 'A' | 'AAAA' | 'SRV' | 'NAPTR'

/** A chain of aliases longer than that is a loop to any resolver. */
const aliasesMax = 16

/** {@link DnsResolver} over zone files. */
export class ZoneResolver implements DnsResolver {
  /** Every question asked, in order: `SRV _sip._udp.example.com`. */
  readonly questions: string[] = []
  private readonly byName = new Map<string, ZoneRecord[]>()
  private readonly troubles = new Map<string, ZoneTrouble>()
  private readonly clock: Clock | undefined
  private delayMs = 0

  constructor(options: ZoneResolverOptions) {
    this.clock = options.clock
    this.replace(options.zone)
  }

  /** Puts another zone in place of what was there. */
  replace(zone: string): void {
    this.byName.clear()
    for (const record of parseZone(zone)) {
      const known = this.byName.get(record.name)
      if (known === undefined) this.byName.set(record.name, [record])
      else known.push(record)
    }
  }

  /** Makes the questions of one type and name fail; undefined lets them be answered again. */
  trouble(type: QuestionType, name: string, trouble: ZoneTrouble | undefined): void {
    const key = `${type} ${name.toLowerCase()}`
    if (trouble === undefined) this.troubles.delete(key)
    else this.troubles.set(key, trouble)
  }

  /** Delays every answer from now on, on the clock given. */
  delay(ms: number): void {
    if (this.clock === undefined) throw new Error('A ZoneResolver needs a clock to delay its answers.')
    this.delayMs = ms
  }

  naptr(name: string, signal?: AbortSignal): Promise<DnsAnswer<NaptrRecord>> {
    return this.answer('NAPTR', name, signal, (data) => (data.type === 'NAPTR' ? withoutType(data) : undefined))
  }

  srv(name: string, signal?: AbortSignal): Promise<DnsAnswer<SrvRecord>> {
    return this.answer('SRV', name, signal, (data) => (data.type === 'SRV' ? withoutType(data) : undefined))
  }

  a(name: string, signal?: AbortSignal): Promise<DnsAnswer<string>> {
    return this.answer('A', name, signal, (data) => (data.type === 'A' ? data.address : undefined))
  }

  aaaa(name: string, signal?: AbortSignal): Promise<DnsAnswer<string>> {
    return this.answer('AAAA', name, signal, (data) => (data.type === 'AAAA' ? data.address : undefined))
  }

  private async answer<Entry>(
    type: QuestionType,
    name: string,
    signal: AbortSignal | undefined,
    read: (data: ZoneData) => Entry | undefined,
  ): Promise<DnsAnswer<Entry>> {
    const key = `${type} ${name.toLowerCase()}`
    this.questions.push(key)
    if (this.delayMs > 0) await this.wait(this.delayMs)
    const trouble = this.troubles.get(key)
    if (trouble === 'reject') throw new Error('The resolver of the test was told to fail.')
    if (trouble === 'silent') {
      await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
      return { kind: 'timeout' }
    }
    if (trouble !== undefined) return { kind: trouble }
    return this.find(name.toLowerCase(), read)
  }

  private find<Entry>(name: string, read: (data: ZoneData) => Entry | undefined): DnsAnswer<Entry> {
    let ttlSeconds = Number.POSITIVE_INFINITY
    let at = name
    for (let step = 0; step < aliasesMax; step += 1) {
      const here = this.byName.get(at) ?? []
      const found: Entry[] = []
      for (const record of here) {
        const entry = read(record.data)
        if (entry === undefined) continue
        found.push(entry)
        ttlSeconds = Math.min(ttlSeconds, record.ttlSeconds)
      }
      if (found.length > 0) return { kind: 'found', records: found, ttlSeconds }
      const alias = here.find((record) => record.data.type === 'CNAME')
      if (alias?.data.type !== 'CNAME') return { kind: 'not-found' }
      ttlSeconds = Math.min(ttlSeconds, alias.ttlSeconds)
      at = alias.data.target
    }
    // Aliases in a circle: servers give such a question up with SERVFAIL.
    return { kind: 'failed' }
  }

  private wait(ms: number): Promise<void> {
    const { clock } = this
    return new Promise((resolve) => {
      if (clock === undefined) resolve()
      else clock.schedule(clock.monotonicMs() + ms, resolve)
    })
  }
}

function withoutType<Entry extends { readonly type: string }>(data: Entry): Omit<Entry, 'type'> {
  const { type: _type, ...rest } = data
  return rest
}
