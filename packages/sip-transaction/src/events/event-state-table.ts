/**
 * The event state compositor of RFC 3903 §6: what the devices of a resource have published, by entity tag, until it
 * expires. Pure: answering, composing and telling watchers is the caller's.
 */
import { detachText, type HeaderInit, type SipRequest } from '@carillon/sip-parser'
import { defaultEventStateLimits, type EventStateLimits } from '../limits'
import type { Random } from '../ports'
import { type Expiring, ExpiryHeap } from '../registrar/expiry-heap'
import type { EventPackage } from './event-package'

/** The answer to a PUBLISH. */
export interface PublishResult {
  readonly status: number
  /** SIP-ETag and Expires of a 200, Min-Expires of a 423, Accept of a 415, Allow-Events of a 489, Retry-After of a 503. */
  readonly headers: readonly HeaderInit[]
  /** True when the state of the resource is another one now. */
  readonly hasChanged: boolean
}

interface Entry<State> extends Expiring {
  readonly resource: string
  state: State
  tag: string
}

/** Seconds after which a table that is full may be asked again. */
const retryAfterSeconds = 60
/** Entropy of an entity tag, in bits. */
const tagBits = 96

/** Published states of one package. */
export class EventStateTable<State> {
  private readonly limits: EventStateLimits
  private readonly byResource = new Map<string, Entry<State>[]>()
  private readonly heap = new ExpiryHeap<Entry<State>>()

  constructor(
    private readonly event: EventPackage<State>,
    private readonly random: Random,
    limits?: Partial<EventStateLimits>,
  ) {
    this.limits = { ...defaultEventStateLimits, ...limits }
  }

  /** Number of publications. */
  get size(): number {
    return this.heap.size
  }

  /**
   * Applies a PUBLISH that has been authorised (RFC 3903 §6).
   * @param resource what it is about, in the caller's canonical form
   * @param nowMs on the monotonic clock
   */
  apply(resource: string, request: SipRequest, nowMs: number): PublishResult {
    const { event, limits } = this
    const asked = request.decode('event')
    if (!asked.ok || asked.value?.package !== event.name) return refused(489, ['Allow-Events', event.name])
    const match = request.decode('sipIfMatch')
    const expires = request.decode('expires')
    if (!match.ok || !expires.ok) return refused(400)
    const wanted = expires.value ?? Math.min(event.expiresSeconds, limits.publicationSecondsMax)
    if (wanted > 0 && wanted < limits.publicationSecondsMin)
      return refused(423, ['Min-Expires', limits.publicationSecondsMin])
    const entries = this.live(resource, nowMs)
    const known = match.value === undefined ? undefined : entries.find(({ tag }) => tag === match.value)
    if (match.value !== undefined && known === undefined) return refused(412)
    const { body } = request
    if (body.length === 0 && known === undefined) return refused(400)
    if (body.length > limits.publicationBytesMax) return refused(413)
    const seconds = Math.min(wanted, limits.publicationSecondsMax)
    if (known !== undefined && seconds === 0) {
      this.remove(known)
      return this.granted(this.random.token(tagBits), 0, true)
    }
    let state: State | undefined
    if (body.length > 0) {
      const type = (request.get('Content-Type') ?? '').split(';')[0]!.trim().toLowerCase()
      const accepted = [event.contentType, ...(event.alsoReads ?? [])]
      if (!accepted.some((each) => each.split(';')[0]!.toLowerCase() === type))
        return refused(415, ['Accept', accepted.join(', ')])
      const read = event.read(body, type)
      if (!read.ok) return refused(400)
      state = read.state
    }
    const tag = this.random.token(tagBits)
    const expiresAtMs = nowMs + seconds * 1000
    if (known !== undefined) {
      known.tag = tag
      known.expiresAtMs = expiresAtMs
      if (state !== undefined) known.state = state
      this.heap.update(known)
      return this.granted(tag, seconds, state !== undefined)
    }
    if (seconds === 0) return this.granted(tag, 0, false)
    if (entries.length >= limits.publicationsPerResourceMax) return refused(403)
    if (this.size >= limits.publicationsMax) return refused(503, ['Retry-After', retryAfterSeconds])
    this.add({ resource: entries[0]?.resource ?? detachText(resource), state: state!, tag, expiresAtMs, heapIndex: -1 })
    return this.granted(tag, seconds, true)
  }

  /** What is published of a resource now, the latest publication first. */
  states(resource: string, nowMs: number): readonly State[] {
    return this.live(resource, nowMs)
      .map(({ state }) => state)
      .reverse()
  }

  /** When the next publication expires, on the monotonic clock; Infinity when there is none. */
  deadline(): number {
    return this.heap.peek()?.expiresAtMs ?? Number.POSITIVE_INFINITY
  }

  /** Removes what has expired and appends the resources whose state is another one for it. */
  expire(nowMs: number, out: string[]): void {
    for (let next = this.heap.peek(); next !== undefined && next.expiresAtMs <= nowMs; next = this.heap.peek()) {
      this.remove(next)
      if (out.at(-1) !== next.resource) out.push(next.resource)
    }
  }

  private granted(tag: string, seconds: number, hasChanged: boolean): PublishResult {
    return {
      status: 200,
      headers: [
        ['SIP-ETag', tag],
        ['Expires', seconds],
      ],
      hasChanged,
    }
  }

  private live(resource: string, nowMs: number): readonly Entry<State>[] {
    return (this.byResource.get(resource) ?? []).filter(({ expiresAtMs }) => expiresAtMs > nowMs)
  }

  private add(entry: Entry<State>): void {
    const entries = this.byResource.get(entry.resource)
    if (entries === undefined) this.byResource.set(entry.resource, [entry])
    else entries.push(entry)
    this.heap.add(entry)
  }

  private remove(entry: Entry<State>): void {
    this.heap.remove(entry)
    const entries = this.byResource.get(entry.resource) ?? []
    const index = entries.indexOf(entry)
    if (index >= 0) entries.splice(index, 1)
    if (entries.length === 0) this.byResource.delete(entry.resource)
  }
}

function refused(status: number, ...headers: readonly HeaderInit[]): PublishResult {
  return { status, headers, hasChanged: false }
}
