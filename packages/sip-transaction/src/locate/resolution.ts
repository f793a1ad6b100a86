/**
 * One look-up of RFC 3263 from its goal to the places to be tried: NAPTR, then SRV, then addresses, as far as each is
 * needed. Sans I/O: it asks questions as effects, the answers come back as inputs, in any order.
 */

import type { LocateLimits } from '../limits'
import type { DnsAnswer, NaptrRecord, SrvRecord } from '../ports'
import {
  type Candidate,
  candidateOf,
  isIpAddress,
  type LocateAbilities,
  type LocateFailure,
  type LocateGoal,
  type ServerGoal,
  type ServiceGoal,
} from './plan'
import { isServiceAbsent, orderServers, selectServices, usableName } from './select'

/** The record types that locating asks for. */
export type DnsQuestionKind = 'naptr' | 'srv' | 'a' | 'aaaa'

/** A question to the DNS; the name is in lower case. */
export interface DnsQuestion {
  readonly kind: DnsQuestionKind
  readonly name: string
}

/** What became of a question. */
export type DnsFact =
  | { readonly kind: 'naptr'; readonly name: string; readonly answer: DnsAnswer<NaptrRecord> }
  | { readonly kind: 'srv'; readonly name: string; readonly answer: DnsAnswer<SrvRecord> }
  | { readonly kind: 'a' | 'aaaa'; readonly name: string; readonly answer: DnsAnswer<string> }

/** What a resolution asks for, and what it comes to. */
export type LocateEffect =
  | { readonly kind: 'ask'; readonly question: DnsQuestion }
  /** The places to be tried, the first one first; never empty. */
  | { readonly kind: 'located'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'failed'; readonly reason: LocateFailure }

/** What a resolution is made with. */
export interface ResolutionOptions extends LocateAbilities {
  readonly limits: LocateLimits
  /** A number in [0, 1), for the choice by weight. */
  readonly fraction: () => number
}

type SearchGoal = Exclude<LocateGoal, { kind: 'address' }>

/** One look-up under way. */
export class Resolution {
  private stage: 'idle' | 'naptr' | 'srv' | 'addresses' | 'done' = 'idle'
  /** Questions without an answer, as `kind name`. */
  private readonly open = new Set<string>()
  private services: readonly ServiceGoal[] = []
  private readonly srv = new Map<string, readonly SrvRecord[]>()
  private servers: readonly ServerGoal[] = []
  private readonly addresses = new Map<string, readonly string[]>()
  /** Some question was not answered, so that "nothing there" cannot be said. */
  private isFlawed = false

  constructor(
    private readonly goal: SearchGoal,
    private readonly options: ResolutionOptions,
  ) {}

  /** True when it has come to its end. */
  get isDone(): boolean {
    return this.stage === 'done'
  }

  /** Asks the first questions. */
  start(out: LocateEffect[]): void {
    if (this.stage !== 'idle') return
    const { goal } = this
    if (goal.kind === 'domain') {
      this.stage = 'naptr'
      this.ask('naptr', goal.domain, out)
      this.settleEmpty(out)
    } else if (goal.kind === 'service') this.askServices(goal.services, out)
    else this.askAddresses([goal.server], out)
  }

  /** Takes an answer; one that was not asked for, or comes twice, changes nothing. */
  answer(fact: DnsFact, out: LocateEffect[]): void {
    if (!this.open.delete(keyOf(fact))) return
    if (fact.answer.kind === 'failed' || fact.answer.kind === 'timeout') this.isFlawed = true
    if (fact.kind === 'naptr') this.chooseServices(recordsOf(fact.answer), out)
    else {
      if (fact.kind === 'srv') this.srv.set(fact.name, recordsOf(fact.answer))
      else this.addresses.set(keyOf(fact), recordsOf(fact.answer))
      this.settleEmpty(out)
    }
  }

  /** The time is over: ends with what is there. */
  giveUp(out: LocateEffect[]): void {
    if (this.stage === 'done') return
    this.isFlawed = true
    this.open.clear()
    this.finish(out)
  }

  /** RFC 3263 §4.1: the services of the NAPTR records, else SRV of each transport. */
  private chooseServices(records: readonly NaptrRecord[], out: LocateEffect[]): void {
    const { goal } = this
    if (goal.kind !== 'domain') return
    const named = selectServices(records, this.options.transports, goal.isSecure)
    this.askServices(named.length > 0 ? named : goal.services, out)
  }

  private askServices(services: readonly ServiceGoal[], out: LocateEffect[]): void {
    this.stage = 'srv'
    this.services = services.slice(0, this.options.limits.srvTargetsMax)
    for (const { name } of this.services) this.ask('srv', name, out)
    this.settleEmpty(out)
  }

  /** RFC 3263 §4.2: the hosts of the SRV records, else the name itself. */
  private chooseServers(out: LocateEffect[]): void {
    const { goal, options } = this
    if (goal.kind === 'server') return
    const servers: ServerGoal[] = []
    let isAbsent = false
    for (const { name, transport } of this.services) {
      const records = this.srv.get(name) ?? []
      if (isServiceAbsent(records)) {
        isAbsent = true
        continue
      }
      const room = options.limits.srvTargetsMax - servers.length
      for (const { host, port } of orderServers(records, room, options.fraction))
        servers.push({ host, port, transport })
    }
    this.srv.clear()
    // A domain that says that it has no such service means it: its address is not to be bothered (RFC 2782).
    if (servers.length === 0 && !isAbsent) servers.push(goal.fallback)
    this.askAddresses(servers, out)
  }

  private askAddresses(servers: readonly ServerGoal[], out: LocateEffect[]): void {
    this.stage = 'addresses'
    this.servers = servers
    const { families } = this.options
    for (const { host } of servers) {
      if (isIpAddress(host)) continue
      if (families.includes(6)) this.ask('aaaa', host, out)
      if (families.includes(4)) this.ask('a', host, out)
    }
    this.settleEmpty(out)
  }

  private ask(kind: DnsQuestionKind, host: string, out: LocateEffect[]): void {
    // What is no domain name has no records, and a resolver may choke on it.
    const name = usableName(host)
    if (name === undefined) return
    const question = { kind, name }
    const key = keyOf(question)
    if (this.open.has(key)) return
    this.open.add(key)
    out.push({ kind: 'ask', question })
  }

  /** Goes on when no question is open. */
  private settleEmpty(out: LocateEffect[]): void {
    if (this.open.size > 0) return
    if (this.stage === 'naptr') this.chooseServices([], out)
    else if (this.stage === 'srv') this.chooseServers(out)
    else if (this.stage === 'addresses') this.finish(out)
  }

  private finish(out: LocateEffect[]): void {
    const candidates = this.stage === 'addresses' ? this.candidates() : []
    this.stage = 'done'
    if (candidates.length > 0) out.push({ kind: 'located', candidates })
    else out.push({ kind: 'failed', reason: this.isFlawed ? 'lookup-failed' : 'not-found' })
  }

  private candidates(): readonly Candidate[] {
    const { serverName, isTransportNamed } = this.goal
    const { candidatesMax } = this.options.limits
    const found: Candidate[] = []
    const seen = new Set<string>()
    for (const server of this.servers) {
      for (const address of this.addressesOf(server.host)) {
        const key = `${server.transport} ${address} ${server.port}`
        if (seen.has(key)) continue
        seen.add(key)
        found.push(candidateOf(server, address, serverName, isTransportNamed))
        if (found.length === candidatesMax) return found
      }
    }
    return found
  }

  /** Addresses of a host, the families in turn, IPv6 first (RFC 6724 §2.1, RFC 7984 §3). */
  private addressesOf(host: string): readonly string[] {
    if (isIpAddress(host)) return [host]
    const name = usableName(host) ?? host
    const { addressesPerNameMax } = this.options.limits
    const ipv6 = (this.addresses.get(keyOf({ kind: 'aaaa', name })) ?? []).slice(0, addressesPerNameMax)
    const ipv4 = (this.addresses.get(keyOf({ kind: 'a', name })) ?? []).slice(0, addressesPerNameMax)
    const mixed: string[] = []
    for (let index = 0; index < Math.max(ipv6.length, ipv4.length); index += 1) {
      for (const address of [ipv6[index], ipv4[index]]) if (address !== undefined) mixed.push(address)
    }
    return mixed
  }
}

/** One text for each question. */
export function keyOf(question: { readonly kind: DnsQuestionKind; readonly name: string }): string {
  return `${question.kind} ${question.name}`
}

function recordsOf<Entry>(answer: DnsAnswer<Entry>): readonly Entry[] {
  return answer.kind === 'found' ? answer.records : []
}
