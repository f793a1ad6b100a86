/**
 * One binding of an address of record to a contact (RFC 3261 §10), with the flow it came on (RFC 5626 §2).
 * Kept small: text and no parsed objects, and no text that keeps a whole received message alive.
 */
import { Contact, detachText, parseUri, SipUri } from '@carillon/sip-parser'
import type { FlowAddress } from '../ports'
import type { Expiring } from './expiry-heap'

/** Everything a binding consists of; plain data, so that a store can keep it. */
export interface BindingInit {
  readonly aor: string
  /** The contact URI as text, without angle brackets. */
  readonly uri: string
  /** Contact parameters other than expires and q, decoded. */
  readonly params: ReadonlyMap<string, string | null>
  /** On the monotonic clock of the process. */
  readonly expiresAtMs: number
  /** 0 to 1. */
  readonly q: number
  readonly callId: string
  readonly cseq: number
  /** Path values, topmost first (RFC 3327). */
  readonly path: readonly string[]
  readonly receivedFrom: FlowAddress
  readonly flowId: number
  readonly userAgent: string | undefined
}

const noPath: readonly string[] = []

/** A binding in a table. Its fields change when the contact is refreshed; only the table changes them. */
export class Binding implements Expiring {
  readonly aor: string
  /** The contact URI as text. */
  readonly uri: string
  expiresAtMs: number
  q: number
  callId: string
  cseq: number
  path: readonly string[]
  /** Where the REGISTER came from, and so where the contact is reached if it is behind a NAT. */
  receivedFrom: FlowAddress
  /** The flow that the REGISTER came on. */
  flowId: number
  userAgent: string | undefined
  /** @internal */
  heapIndex = -1
  /** Parameters as text, each with its semicolon. */
  private suffix = ''

  constructor(init: BindingInit) {
    this.aor = init.aor
    this.uri = detachText(init.uri)
    this.expiresAtMs = init.expiresAtMs
    this.q = init.q
    this.callId = detachText(init.callId)
    this.cseq = init.cseq
    this.path = ownPath(init.path)
    this.receivedFrom = init.receivedFrom
    this.flowId = init.flowId
    this.userAgent = init.userAgent
    this.setParams(init.params)
  }

  /** The contact URI, parsed anew at each call. */
  get contact(): SipUri {
    return parseSipUri(this.uri)
  }

  /** Contact parameters other than expires and q, decoded anew at each call. */
  get params(): ReadonlyMap<string, string | null> {
    return this.toContact().params
  }

  /** The +sip.instance of the device, without angle brackets (RFC 5626 §4.1). */
  get instance(): string | undefined {
    return this.suffix === '' ? undefined : this.toContact().instance
  }

  /** The reg-id of the flow (RFC 5626 §4.2). */
  get regId(): number | undefined {
    return this.suffix === '' ? undefined : this.toContact().regId
  }

  /** The Contact value of a REGISTER response (RFC 3261 §10.3 step 8). */
  toContactText(nowMs: number): string {
    const seconds = Math.max(0, Math.ceil((this.expiresAtMs - nowMs) / 1_000))
    const q = this.q === 1 ? '' : `;q=${this.q}`
    return `<${this.uri}>${this.suffix}${q};expires=${seconds}`
  }

  /** Plain data for a store; the inverse of the constructor. */
  toInit(): BindingInit {
    const { aor, uri, params, expiresAtMs, q, callId, cseq, path, receivedFrom, flowId, userAgent } = this
    return { aor, uri, params, expiresAtMs, q, callId, cseq, path, receivedFrom, flowId, userAgent }
  }

  /** @internal Takes over what a refresh brings. */
  refresh(init: BindingInit): void {
    this.expiresAtMs = init.expiresAtMs
    this.q = init.q
    if (this.callId !== init.callId) this.callId = detachText(init.callId)
    this.cseq = init.cseq
    this.path = ownPath(init.path)
    this.receivedFrom = init.receivedFrom
    this.flowId = init.flowId
    this.userAgent = init.userAgent
    this.setParams(init.params)
  }

  private setParams(params: ReadonlyMap<string, string | null>): void {
    const suffix = params.size === 0 ? '' : writeParams(params)
    if (suffix !== this.suffix) this.suffix = detachText(suffix)
  }

  private toContact(): Contact {
    return Contact.of({ uri: this.contact, params: readParams(this.suffix) })
  }
}

function ownPath(path: readonly string[]): readonly string[] {
  return path.length === 0 ? noPath : path.map(detachText)
}

function parseSipUri(text: string): SipUri {
  const parsed = parseUri(text)
  if (!parsed.ok || !(parsed.value instanceof SipUri)) throw new TypeError('a binding holds a SIP URI')
  return parsed.value
}

/** Token characters of RFC 3261 §25.1. */
const token = /^[A-Za-z0-9\-.!%*_+`'~]+$/

function writeParams(params: ReadonlyMap<string, string | null>): string {
  let text = ''
  for (const [name, value] of params) {
    if (value === null) text += `;${name}`
    else text += token.test(value) ? `;${name}=${value}` : `;${name}="${value.replace(/["\\]/g, '\\$&')}"`
  }
  return text
}

/** Reads what {@link writeParams} wrote. */
function readParams(suffix: string): Map<string, string | null> {
  const params = new Map<string, string | null>()
  for (const [, name = '', quoted, plain] of suffix.matchAll(/;([^;="]+)(?:="((?:[^"\\]|\\.)*)"|=([^;"]*))?/gs)) {
    params.set(name, quoted?.replace(/\\(.)/gs, '$1') ?? plain ?? null)
  }
  return params
}
