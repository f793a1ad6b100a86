/**
 * Finds the places behind a URI for the stack: drives the look-ups of locate/ with the DnsResolver port, remembers
 * answers, asks nothing twice at the same time. RFC 3263 §4 and §5. A URI with an address costs no look-up.
 */
import type { Uri, Via } from '@carillon/sip-parser'
import type { LocateLimits } from '../../limits'
import { Blocklist } from '../../locate/blocklist'
import { DnsCache } from '../../locate/cache'
import { type Candidate, type LocateFailure, type LocateGoal, locateGoal, responseGoal } from '../../locate/plan'
import { type DnsFact, type DnsQuestion, keyOf, type LocateEffect, Resolution } from '../../locate/resolution'
import type { DnsAnswer, DnsResolver, NaptrRecord, SrvRecord } from '../../ports'
import type { Appointment } from '../driver'

/** The places to be tried in order, at least one; or why there are none. */
export type Located = readonly Candidate[] | LocateFailure

/** What a locator takes from its stack. */
export interface LocatorOptions {
  readonly dns: DnsResolver
  readonly limits: LocateLimits
  /** How long one look-up may take, all of its questions together. */
  readonly timeoutMs: number
  readonly abilities: () => { readonly transports: readonly string[]; readonly families: readonly (4 | 6)[] }
  readonly fraction: () => number
  readonly driver: {
    readonly nowMs: number
    at(atMs: number, fire: () => void): Appointment
    submit(input: () => void): void
  }
}

/** One question under way, and who waits for it. */
interface OpenQuestion {
  readonly waiting: ((fact: DnsFact) => void)[]
  readonly abort: AbortController
  readonly late: Appointment
}

/** The locator of one stack. All methods run inside an input, and so do the callbacks. */
export class Locator {
  /** Servers that failed a moment ago. */
  readonly blocklist: Blocklist
  private readonly cache: DnsCache
  private readonly open = new Map<string, OpenQuestion>()
  private isClosed = false

  constructor(private readonly options: LocatorOptions) {
    this.blocklist = new Blocklist(options.limits)
    this.cache = new DnsCache(options.limits)
  }

  /** Bytes of a request over UDP; a longer one goes over TCP where the peer has it. */
  get datagramRequestBytesMax(): number {
    return this.options.limits.datagramRequestBytesMax
  }

  /** How many questions are under way. */
  get questions(): number {
    return this.open.size
  }

  /**
   * Hands the places behind a URI to `use`: at once when no question has to be asked, else later; exactly once while the
   * stack is open.
   * @param isSecure true when only secure transports will do
   */
  locate(uri: Uri, isSecure: boolean, use: (located: Located) => void): void {
    this.pursue(locateGoal(uri, this.options.abilities().transports, isSecure), use)
  }

  /** The same for a response, by the sent-by of its Via (RFC 3263 §5). */
  locateSender(via: Via, use: (located: Located) => void): void {
    this.pursue(responseGoal(via, this.options.abilities().transports), use)
  }

  /** Gives up every question; nobody is told. */
  close(): void {
    this.isClosed = true
    for (const { abort, late } of this.open.values()) {
      late.cancel()
      abort.abort()
    }
    this.open.clear()
    this.options.dns.close?.()
  }

  private pursue(goal: LocateGoal | 'unsupported', use: (located: Located) => void): void {
    if (goal === 'unsupported') use(goal)
    else if (goal.kind === 'address') use([goal.candidate])
    else new Search(this, new Resolution(goal, { ...this.options.abilities(), ...this.options }), use).start()
  }

  /** For a search: the time at which it has to end. */
  at(fire: () => void): Appointment {
    return this.options.driver.at(this.options.driver.nowMs + this.options.timeoutMs, fire)
  }

  /** For a search: the answer as far as it is known, else undefined and `later` hears of it. */
  ask(question: DnsQuestion, later: (fact: DnsFact) => void): DnsFact | undefined {
    const { driver, limits } = this.options
    const key = keyOf(question)
    const known = this.cache.get(key, driver.nowMs)
    if (known !== undefined) return factOf(question, known)
    const open = this.open.get(key)
    if (open !== undefined) {
      open.waiting.push(later)
      return undefined
    }
    if (this.isClosed || this.open.size >= limits.dnsQuestionsMax) return factOf(question, { kind: 'failed' })
    const abort = new AbortController()
    const late = driver.at(driver.nowMs + limits.dnsQuestionTimeoutMs, () => {
      this.settle(question, { kind: 'timeout' })
      abort.abort()
    })
    this.open.set(key, { waiting: [later], abort, late })
    this.query(question, abort.signal)
    return undefined
  }

  private query(question: DnsQuestion, signal: AbortSignal): void {
    const settle = (answer: DnsAnswer<unknown>) =>
      this.options.driver.submit(() => this.settle(question, trimmed(question, answer, this.options.limits)))
    let work: Promise<DnsAnswer<unknown>>
    try {
      work = this.options.dns[question.kind](question.name, signal)
    } catch {
      work = Promise.resolve({ kind: 'failed' })
    }
    work.then(settle, () => settle({ kind: 'failed' }))
  }

  private settle(question: DnsQuestion, answer: DnsAnswer<unknown>): void {
    const key = keyOf(question)
    const open = this.open.get(key)
    // An answer after its time has been given up for; a later question of the same name has its own.
    if (open === undefined) return
    this.open.delete(key)
    open.late.cancel()
    this.cache.set(key, answer, this.options.driver.nowMs)
    const fact = factOf(question, answer)
    // Each an input of its own: an error in one must not leave the others waiting.
    for (const hear of open.waiting) this.options.driver.submit(() => hear(fact))
  }
}

/** One look-up: its resolution, its deadline, and who waits for it. */
class Search {
  private readonly out: LocateEffect[] = []
  private late: Appointment | undefined
  private isRunning = false

  constructor(
    private readonly locator: Locator,
    private readonly resolution: Resolution,
    private readonly use: (located: Located) => void,
  ) {}

  start(): void {
    this.resolution.start(this.out)
    this.carryOut()
    if (this.resolution.isDone) return
    this.late = this.locator.at(() => {
      this.resolution.giveUp(this.out)
      this.carryOut()
    })
  }

  private readonly hear = (fact: DnsFact): void => {
    this.resolution.answer(fact, this.out)
    this.carryOut()
  }

  /** Effects in order; an answer that is known already makes further ones. */
  private carryOut(): void {
    if (this.isRunning) return
    this.isRunning = true
    for (let index = 0; index < this.out.length; index += 1) {
      const effect = this.out[index]!
      if (effect.kind === 'ask') {
        const fact = this.locator.ask(effect.question, this.hear)
        if (fact !== undefined) this.resolution.answer(fact, this.out)
      } else {
        this.late?.cancel()
        this.use(effect.kind === 'located' ? effect.candidates : effect.reason)
      }
    }
    this.out.length = 0
    this.isRunning = false
  }
}

/** The resolver's methods answer questions of their own kind, and the cache keeps them by kind. */
function factOf(question: DnsQuestion, answer: DnsAnswer<unknown>): DnsFact {
  return { kind: question.kind, name: question.name, answer } as DnsFact
}

/** A long answer without its least preferred records: none may cost memory and time without end. */
function trimmed(question: DnsQuestion, answer: DnsAnswer<unknown>, limits: LocateLimits): DnsAnswer<unknown> {
  if (answer.kind !== 'found') return answer
  if (answer.records.length === 0) return { kind: 'not-found' }
  if (answer.records.length <= limits.dnsRecordsMax) return answer
  const records = [...answer.records]
  if (question.kind === 'srv') {
    ;(records as SrvRecord[]).sort((one, other) => one.priority - other.priority)
  } else if (question.kind === 'naptr') {
    const sorted = records as NaptrRecord[]
    sorted.sort((one, other) => one.order - other.order || one.preference - other.preference)
  }
  return { ...answer, records: records.slice(0, limits.dnsRecordsMax) }
}
