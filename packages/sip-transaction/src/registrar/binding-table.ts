/**
 * The bindings of a registrar (RFC 3261 §10.3), in memory: which contacts an address of record has, for how long, and
 * by which flow each is reached (RFC 5626 §6), and its names for them (RFC 5627 §5). A REGISTER is applied whole or not
 * at all. Pure: storing and answering is the caller's.
 */
import { detachText, type HeaderInit, type SipRequest, SipUri, type Uri } from '@carillon/sip-parser'
import { type BindingLimits, defaultBindingLimits } from '../limits'
import type { FlowAddress } from '../ports'
import { canonicalAor } from './aor'
import { Binding, type BindingInit } from './binding'
import { ExpiryHeap } from './expiry-heap'
import { FlowIndex } from './flow-index'
import { GruuMaker, type GruuOptions } from './gruu'
import { type ContactUpdate, type RegisterAbilities, type RegisterRefusal, readRegister } from './register-request'

/** What a {@link BindingTable} is made with. */
export interface BindingTableOptions extends Partial<BindingLimits> {
  /** False not to keep the flows of a device apart as RFC 5626 wants; default true, for devices that ask for it. */
  readonly outbound?: boolean
  /** Gives devices that ask for them URIs of their own (RFC 5627); none when absent. */
  readonly gruu?: GruuOptions
  /** Route values that a device is to put into its requests, the nearest first (RFC 3608). */
  readonly serviceRoutes?: readonly string[]
  /** The key of an address of record; {@link canonicalAor} when absent. */
  readonly aorOf?: (uri: Uri) => string
}

/** A REGISTER as it came in; an `IncomingRequest` is one. */
export interface RegisterInput {
  readonly message: SipRequest
  readonly source: FlowAddress & { readonly flowId: number }
}

/** The words of RFC 3680 §4.1 for what happened to a contact. */
export type ContactEvent =
  | 'registered'
  | 'created'
  | 'refreshed'
  | 'shortened'
  | 'expired'
  | 'deactivated'
  | 'unregistered'

/** Something that happened to a binding; what a store or an event package wants to know (RFC 3680). */
export interface BindingChange {
  readonly kind: 'added' | 'refreshed' | 'removed' | 'expired'
  readonly event: ContactEvent
  readonly binding: Binding
}

/** The answer to a REGISTER. */
export interface RegisterResult {
  readonly status: number
  /** A reason phrase that says more than the usual one. */
  readonly reason?: string
  /** The answer has no Contact but those in `headers`. */
  readonly contact: false
  /** Contact, Path, Service-Route and Require of a 200, Min-Expires of a 423, Retry-After of a 503. */
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
  private readonly abilities: RegisterAbilities
  private readonly gruu: GruuMaker | undefined
  private readonly serviceRoutes: readonly string[]
  private readonly aorOf: (uri: Uri) => string
  /** Bindings by id, while there are temporary GRUUs to be looked up. */
  private readonly byId = new Map<number, Binding>()
  private readonly byFlow = new FlowIndex()
  private lastId = 0

  constructor(options: BindingTableOptions = {}) {
    const { outbound = true, gruu, serviceRoutes = [], aorOf = canonicalAor, ...limits } = options
    this.limits = { ...defaultBindingLimits, ...limits }
    this.abilities = { outbound }
    this.gruu = gruu === undefined ? undefined : new GruuMaker(gruu)
    this.serviceRoutes = serviceRoutes
    this.aorOf = aorOf
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
   * Contact. The result is what `request.reply(result.status, result)` wants.
   * @param nowMs on the monotonic clock
   * @param aor the key of the address of record; that of the To header when absent
   */
  apply(request: RegisterInput, nowMs: number, aor?: string): RegisterResult {
    const { message, source } = request
    const to = message.decode('to')
    if (!to.ok) return this.refuse('', { status: 400, reason: 'Malformed Registration', headers: [] }, nowMs)
    const key = aor ?? this.aorOf(to.value.uri)
    const read = readRegister(message, this.limits, this.abilities)
    if ('status' in read) return this.refuse(key, read, nowMs)
    if (read.kind === 'query') return this.listing(key, message, nowMs, [], [])
    const bindings = this.live(key, nowMs)
    if (read.kind === 'remove-all') {
      // A Call-ID of another device proves nothing about order, so it removes too (step 6).
      if (bindings.some((binding) => isOutOfOrder(binding, read))) return this.refuse(key, outOfOrder, nowMs)
      const changes = bindings.map((binding) => this.remove(binding, 'unregistered'))
      return this.listing(key, message, nowMs, changes, [])
    }
    const staged = this.stage(bindings, read.updates)
    if (staged.some(({ existing }) => existing !== undefined && isOutOfOrder(existing, read))) {
      return this.refuse(key, outOfOrder, nowMs)
    }
    const refusal = this.checkRoom(bindings.length, staged)
    if (refusal !== undefined) return this.refuse(key, refusal, nowMs)
    const { transport, address, port, flowId } = source
    const common = {
      aor: bindings[0]?.aor ?? detachText(key),
      callId: read.callId,
      cseq: read.cseq,
      path: read.path,
      receivedFrom: { transport, address, port },
      flowId,
      userAgent: this.shareUserAgent(message.get('User-Agent')),
    }
    const isFirst = bindings.length === 0
    const changes: BindingChange[] = []
    for (const { update, existing } of staged) {
      const change = this.commit(update, existing, common, nowMs, isFirst)
      if (change !== undefined) changes.push(change)
    }
    return this.listing(key, message, nowMs, changes, read.path, read.isOutbound)
  }

  /**
   * The bindings that are valid now: highest q first, among equals the latest registered first (RFC 3261 §16.6). A GRUU
   * has those of its device alone (RFC 5627 §5.5).
   * @param aor a URI, of whatever kind, or the key of an address of record
   */
  lookup(aor: string | Uri, nowMs: number): readonly Binding[] {
    if (typeof aor === 'string') return this.live(aor, nowMs)
    if (!(aor instanceof SipUri) || !aor.params.has('gr')) return this.live(this.aorOf(aor), nowMs)
    return this.lookupGruu(aor, nowMs)
  }

  /** Removes the outbound bindings of flows that are gone: nothing can reach them there (RFC 5626 §5.3). */
  removeFlow(flowId: number): readonly BindingChange[] {
    return this.byFlow.of(flowId).map((binding) => this.remove(binding))
  }

  /**
   * Enters a binding as a store kept it; an equal one is replaced.
   * @returns false when the table is full or the binding has expired
   */
  restore(init: BindingInit, nowMs: number): boolean {
    if (init.expiresAtMs <= nowMs) return false
    const existing = this.byAor.get(init.aor)?.find((one) => one.id === init.id || isSameBinding(one, init))
    this.lastId = Math.max(this.lastId, init.id)
    if (existing !== undefined) this.remove(existing)
    else if (this.size >= this.limits.bindingsMax) return false
    this.insert(new Binding(init))
    return true
  }

  /** Removes one binding, as an administrator may: the device is to register anew (RFC 3680 §5.1). */
  remove(binding: Binding, event: 'deactivated' | 'unregistered' = 'deactivated'): BindingChange {
    this.detach(binding)
    return { kind: 'removed', event, binding }
  }

  /** When the next binding expires, on the monotonic clock; Infinity when there is none. */
  deadline(): number {
    return this.heap.peek()?.expiresAtMs ?? Number.POSITIVE_INFINITY
  }

  /** Removes what has expired and appends what that was, in the order it was due. */
  expire(nowMs: number, out: BindingChange[]): void {
    for (let next = this.heap.peek(); next !== undefined && next.expiresAtMs <= nowMs; next = this.heap.peek()) {
      this.detach(next)
      out.push({ kind: 'expired', event: 'expired', binding: next })
    }
  }

  /** Every binding, by address of record. */
  *values(): IterableIterator<Binding> {
    for (const list of this.byAor.values()) yield* list
  }

  private live(aor: string, nowMs: number): Binding[] {
    const list = this.byAor.get(aor)
    if (list === undefined) return []
    const isLive = (binding: Binding) => binding.expiresAtMs > nowMs
    return list.every(isLive) ? list.slice() : list.filter(isLive)
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
    common: Omit<BindingInit, 'id' | 'uri' | 'params' | 'q' | 'expiresAtMs' | 'instance' | 'regId'>,
    nowMs: number,
    isFirst: boolean,
  ): BindingChange | undefined {
    if (update.seconds === 0) return existing === undefined ? undefined : this.remove(existing, 'unregistered')
    const { params, q, instance, regId, text } = update
    const expiresAtMs = nowMs + update.seconds * 1_000
    const id = existing?.id ?? this.lastId + 1
    const init: BindingInit = { ...common, id, uri: text, params, q, expiresAtMs, instance, regId }
    if (existing === undefined) {
      this.lastId = id
      const binding = new Binding(init)
      this.insert(binding)
      return { kind: 'added', event: isFirst ? 'registered' : 'created', binding }
    }
    const event = expiresAtMs < existing.expiresAtMs ? 'shortened' : 'refreshed'
    this.byFlow.delete(existing)
    existing.refresh(init)
    this.index(existing)
    this.heap.update(existing)
    this.reorder(existing)
    return { kind: 'refreshed', event, binding: existing }
  }

  private insert(binding: Binding): void {
    const list = this.byAor.get(binding.aor)
    if (list === undefined) this.byAor.set(binding.aor, [binding])
    else place(list, binding)
    this.heap.add(binding)
    this.index(binding)
  }

  private index(binding: Binding): void {
    this.byFlow.add(binding)
    if (this.gruu !== undefined && binding.instance !== undefined) this.byId.set(binding.id, binding)
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
    this.byFlow.delete(binding)
    this.byId.delete(binding.id)
  }

  private lookupGruu(uri: SipUri, nowMs: number): readonly Binding[] {
    const instance = uri.params.get('gr')
    if (typeof instance === 'string' && instance !== '')
      return this.live(this.aorOf(uri), nowMs).filter((binding) => binding.instance === instance)
    const named = this.gruu?.readTemporary(uri)
    const binding = named === undefined ? undefined : this.byId.get(named.id)
    if (named === undefined || binding === undefined || !named.matches(binding.callId)) return []
    return this.live(binding.aor, nowMs).filter((other) => other.instance === binding.instance)
  }

  private listing(
    aor: string,
    request: SipRequest,
    nowMs: number,
    changes: readonly BindingChange[],
    path: readonly string[],
    isOutbound = false,
  ): RegisterResult {
    const bindings = this.live(aor, nowMs)
    const gruus = this.gruuWriter(request)
    const headers: HeaderInit[] = bindings.map((binding) => ['Contact', binding.toContactText(nowMs) + gruus(binding)])
    for (const value of path) headers.push(['Path', value])
    for (const value of this.serviceRoutes) headers.push(['Service-Route', value])
    if (isOutbound) headers.push(['Require', 'outbound'])
    return { status: 200, contact: false, headers, bindings, changes }
  }

  /** RFC 5627 §5.2: a device that supports GRUUs is told its own in each answer, a new temporary one each time. */
  private gruuWriter(request: SipRequest): (binding: Binding) => string {
    const { gruu } = this
    if (gruu === undefined) return noGruu
    const aor = request.to.uri
    const supported = request.decode('supported')
    if (!(aor instanceof SipUri) || !supported.ok || !supported.value.includes('gruu')) return noGruu
    return (binding) =>
      binding.instance === undefined
        ? ''
        : `;pub-gruu="${gruu.publicFor(aor, binding.instance)}";temp-gruu="${gruu.temporaryFor(aor, binding)}"`
  }

  private refuse(aor: string, refusal: RegisterRefusal, nowMs: number): RegisterResult {
    return { ...refusal, contact: false, bindings: this.live(aor, nowMs), changes: [] }
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

const noGruu = () => ''

/** RFC 3261 §12.2.2 answers a request that is out of order with 500; §10.3 step 7 wants the request to fail. */
const outOfOrder: RegisterRefusal = { status: 500, reason: 'Registration Out Of Order', headers: [] }

function isOutOfOrder(binding: Binding, request: { readonly callId: string; readonly cseq: number }): boolean {
  return binding.callId === request.callId && request.cseq <= binding.cseq
}

/**
 * RFC 3261 §10.3 step 7: contacts are the same when their URIs are equal by §19.1.4. RFC 5626 §6: flows are when instance
 * and reg-id are, whatever their URIs.
 */
function findBinding(bindings: readonly Binding[], update: ContactUpdate): Binding | undefined {
  const { instance, regId, text, uri } = update
  if (regId !== undefined) {
    const flow = bindings.find((binding) => binding.regId === regId && binding.instance === instance)
    if (flow !== undefined) return flow
    // What the device had registered before it asked for outbound.
    return bindings.find((binding) => binding.regId === undefined && binding.uri === text)
  }
  const same = bindings.find((binding) => binding.uri === text)
  return same ?? bindings.find((binding) => binding.contact.equals(uri))
}

function isSameBinding(binding: Binding, init: BindingInit): boolean {
  if (binding.regId !== init.regId) return false
  return init.regId === undefined ? binding.uri === init.uri : binding.instance === init.instance
}

function place(list: Binding[], binding: Binding): void {
  const index = list.findIndex((other) => other.q <= binding.q)
  list.splice(index < 0 ? list.length : index, 0, binding)
}
