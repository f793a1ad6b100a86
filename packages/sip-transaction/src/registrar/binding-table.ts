/**
 * The bindings of a registrar (RFC 3261 §10.3), in memory: which contacts an address of record has, for how long, and
 * by which flow each is reached. A REGISTER is applied whole or not at all. Pure: storing and answering is the caller's.
 */
import { detachText, type HeaderInit, type SipRequest } from '@carillon/sip-parser'
import { type BindingLimits, defaultBindingLimits } from '../limits'
import type { FlowAddress } from '../ports'
import { Binding, type BindingInit } from './binding'
import { ExpiryHeap } from './expiry-heap'
import { type ContactUpdate, type RegisterRefusal, readRegister } from './register-request'

/** How a REGISTER came in. */
export interface RegisterSource {
  readonly flowId: number
  readonly address: FlowAddress
}

/** Something that happened to a binding; what a store or an event package wants to know (RFC 3680). */
export interface BindingChange {
  readonly kind: 'added' | 'refreshed' | 'removed' | 'expired'
  readonly binding: Binding
}

/** The answer to a REGISTER. */
export interface RegisterResult {
  readonly status: number
  /** A reason phrase that says more than the usual one. */
  readonly reason?: string
  /** Contact and Path of a 200, Min-Expires of a 423, Retry-After of a 503. */
  readonly headers: readonly HeaderInit[]
  /** The bindings of the address of record afterwards, the most wanted first. */
  readonly bindings: readonly Binding[]
  /** What the request changed; empty unless the status is 200. */
  readonly changes: readonly BindingChange[]
}

/** Seconds after which a registrar that is full may be asked again. */
const retryAfterSeconds = 60
/** Distinct User-Agent texts that are kept once for all bindings. */
const userAgentsShared = 256

/** One update of a request, matched with the binding it is about. */
interface Staged {
  readonly update: ContactUpdate
  readonly existing: Binding | undefined
}

/** Bindings by address of record. */
export class BindingTable {
  private readonly limits: BindingLimits
  private readonly byAor = new Map<string, Binding[]>()
  private readonly heap = new ExpiryHeap<Binding>()
  private readonly userAgents = new Map<string, string>()

  constructor(limits?: Partial<BindingLimits>) {
    this.limits = { ...defaultBindingLimits, ...limits }
  }

  /** Number of bindings. */
  get size(): number {
    return this.heap.size
  }

  /** Number of addresses of record that have a binding. */
  get aorCount(): number {
    return this.byAor.size
  }

  /**
   * Applies a REGISTER that has been authorised (RFC 3261 §10.3 steps 6 to 8), or lists the bindings when it has no
   * Contact.
   * @param aor the address of record in the caller's canonical form
   * @param nowMs on the monotonic clock
   */
  apply(aor: string, request: SipRequest, source: RegisterSource, nowMs: number): RegisterResult {
    const read = readRegister(request, this.limits)
    if ('status' in read) return this.refuse(aor, read, nowMs)
    if (read.kind === 'query') return this.listing(aor, nowMs, [], [])
    const bindings = this.live(aor, nowMs)
    if (read.kind === 'remove-all') {
      // A Call-ID of another device proves nothing about order, so it removes too (step 6).
      if (bindings.some((binding) => isOutOfOrder(binding, read))) return this.refuse(aor, outOfOrder, nowMs)
      const changes = bindings.map((binding) => this.remove(binding))
      return this.listing(aor, nowMs, changes, [])
    }
    const staged = this.stage(bindings, read.updates)
    if (staged.some(({ existing }) => existing !== undefined && isOutOfOrder(existing, read))) {
      return this.refuse(aor, outOfOrder, nowMs)
    }
    const refusal = this.checkRoom(bindings.length, staged)
    if (refusal !== undefined) return this.refuse(aor, refusal, nowMs)
    const common = {
      aor: bindings[0]?.aor ?? detachText(aor),
      callId: read.callId,
      cseq: read.cseq,
      path: read.path,
      receivedFrom: source.address,
      flowId: source.flowId,
      userAgent: this.shareUserAgent(request.get('User-Agent')),
    }
    const changes: BindingChange[] = []
    for (const { update, existing } of staged) {
      const change = this.commit(update, existing, common, nowMs)
      if (change !== undefined) changes.push(change)
    }
    return this.listing(aor, nowMs, changes, read.path)
  }

  /** The bindings that are valid now: highest q first, among equals the latest registered first (RFC 3261 §16.6). */
  lookup(aor: string, nowMs: number): readonly Binding[] {
    return this.live(aor, nowMs)
  }

  /**
   * Enters a binding as a store kept it; an equal one is replaced.
   * @returns false when the table is full or the binding has expired
   */
  restore(init: BindingInit, nowMs: number): boolean {
    if (init.expiresAtMs <= nowMs) return false
    const existing = this.byAor.get(init.aor)?.find((binding) => binding.uri === init.uri)
    if (existing !== undefined) this.remove(existing)
    else if (this.size >= this.limits.bindingsMax) return false
    this.insert(new Binding(init))
    return true
  }

  /** Removes one binding, as an administrator may. */
  remove(binding: Binding): BindingChange {
    this.detach(binding)
    return { kind: 'removed', binding }
  }

  /** When the next binding expires, on the monotonic clock; Infinity when there is none. */
  deadline(): number {
    return this.heap.peek()?.expiresAtMs ?? Number.POSITIVE_INFINITY
  }

  /** Removes what has expired and appends what that was, in the order it was due. */
  expire(nowMs: number, out: BindingChange[]): void {
    for (let next = this.heap.peek(); next !== undefined && next.expiresAtMs <= nowMs; next = this.heap.peek()) {
      this.detach(next)
      out.push({ kind: 'expired', binding: next })
    }
  }

  /** Every binding, by address of record. */
  *values(): IterableIterator<Binding> {
    for (const list of this.byAor.values()) yield* list
  }

  private live(aor: string, nowMs: number): Binding[] {
    return this.byAor.get(aor)?.filter((binding) => binding.expiresAtMs > nowMs) ?? []
  }

  private stage(bindings: readonly Binding[], updates: readonly ContactUpdate[]): Staged[] {
    return updates.map((update) => ({ update, existing: findBinding(bindings, update) }))
  }

  private checkRoom(count: number, staged: readonly Staged[]): RegisterRefusal | undefined {
    let added = 0
    for (const { update, existing } of staged) {
      if (existing === undefined && update.seconds > 0) added++
      if (existing !== undefined && update.seconds === 0) added--
    }
    if (added <= 0) return undefined
    if (count + added > this.limits.bindingsPerAorMax) return { status: 403, reason: 'Too Many Contacts', headers: [] }
    if (this.size + added > this.limits.bindingsMax) {
      return { status: 503, reason: 'Registrar Full', headers: [['Retry-After', retryAfterSeconds]] }
    }
    return undefined
  }

  private commit(
    update: ContactUpdate,
    existing: Binding | undefined,
    common: Omit<BindingInit, 'uri' | 'params' | 'q' | 'expiresAtMs'>,
    nowMs: number,
  ): BindingChange | undefined {
    if (update.seconds === 0) return existing === undefined ? undefined : this.remove(existing)
    const { params, q } = update
    const init: BindingInit = { ...common, uri: update.text, params, q, expiresAtMs: nowMs + update.seconds * 1_000 }
    if (existing === undefined) {
      const binding = new Binding(init)
      this.insert(binding)
      return { kind: 'added', binding }
    }
    existing.refresh(init)
    this.heap.update(existing)
    this.reorder(existing)
    return { kind: 'refreshed', binding: existing }
  }

  private insert(binding: Binding): void {
    const list = this.byAor.get(binding.aor)
    if (list === undefined) this.byAor.set(binding.aor, [binding])
    else place(list, binding)
    this.heap.add(binding)
  }

  private reorder(binding: Binding): void {
    const list = this.byAor.get(binding.aor)
    if (list === undefined || list.length === 1) return
    list.splice(list.indexOf(binding), 1)
    place(list, binding)
  }

  private detach(binding: Binding): void {
    const list = this.byAor.get(binding.aor)
    const index = list?.indexOf(binding) ?? -1
    if (list === undefined || index < 0) return
    if (list.length === 1) this.byAor.delete(binding.aor)
    else list.splice(index, 1)
    this.heap.remove(binding)
  }

  private listing(
    aor: string,
    nowMs: number,
    changes: readonly BindingChange[],
    path: readonly string[],
  ): RegisterResult {
    const bindings = this.live(aor, nowMs)
    const headers: HeaderInit[] = bindings.map((binding) => ['Contact', binding.toContactText(nowMs)])
    for (const value of path) headers.push(['Path', value])
    return { status: 200, headers, bindings, changes }
  }

  private refuse(aor: string, refusal: RegisterRefusal, nowMs: number): RegisterResult {
    return { ...refusal, bindings: this.live(aor, nowMs), changes: [] }
  }

  /** Thousands of phones of one make say the same; one text serves them all. */
  private shareUserAgent(text: string | undefined): string | undefined {
    if (text === undefined) return undefined
    const short = text.slice(0, this.limits.userAgentLengthMax)
    const shared = this.userAgents.get(short)
    if (shared !== undefined) return shared
    const own = detachText(short)
    if (this.userAgents.size < userAgentsShared) this.userAgents.set(own, own)
    return own
  }
}

/** RFC 3261 §12.2.2 answers a request that is out of order with 500; §10.3 step 7 wants the request to fail. */
const outOfOrder: RegisterRefusal = { status: 500, reason: 'Registration Out Of Order', headers: [] }

function isOutOfOrder(binding: Binding, request: { readonly callId: string; readonly cseq: number }): boolean {
  return binding.callId === request.callId && request.cseq <= binding.cseq
}

/** RFC 3261 §10.3 step 7: contacts are the same when their URIs are equal by §19.1.4. */
function findBinding(bindings: readonly Binding[], update: ContactUpdate): Binding | undefined {
  const same = bindings.find((binding) => binding.uri === update.text)
  return same ?? bindings.find((binding) => binding.contact.equals(update.uri))
}

function place(list: Binding[], binding: Binding): void {
  const index = list.findIndex((other) => other.q <= binding.q)
  list.splice(index < 0 ? list.length : index, 0, binding)
}
