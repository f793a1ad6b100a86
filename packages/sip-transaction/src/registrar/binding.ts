/**
 * One binding of an address of record to a contact (RFC 3261 §10), with the flow it came on (RFC 5626 §2).
 * Kept small: text and no parsed objects, and no text that keeps a whole received message alive.
 */
import { detachText, parseUri, SipUri } from '@carillon/sip-parser'
import type { FlowAddress } from '../ports'
import { type BindingTarget, bindingTarget } from './binding-target'
import type { Expiring } from './expiry-heap'

/** Everything a binding consists of; plain data, so that a store can keep it. */
export interface BindingInit {
  /** Names it among all bindings of its table; never used again. */
  readonly id: number
  readonly aor: string
  /** The contact URI as text, without angle brackets. */
  readonly uri: string
  /** Contact parameters other than expires, q, +sip.instance and reg-id, decoded. */
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
  /** The +sip.instance of the device, without angle brackets (RFC 5626 §4.1). */
  readonly instance: string | undefined
  /** The reg-id of its flow (RFC 5626 §4.2); undefined where outbound is not used. */
  readonly regId: number | undefined
}

const noPath: readonly string[] = []

/** A binding in a table. Its fields change when the contact is refreshed; only the table changes them. */
export class Binding implements Expiring {
  /** Names it among all bindings of its table. */
  readonly id: number
  readonly aor: string
  /** The contact URI as text. An outbound flow may come back with another one. */
  uri: string
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
  /** The +sip.instance of the device, without angle brackets (RFC 5626 §4.1). */
  instance: string | undefined
  /** The reg-id of its flow (RFC 5626 §4.2); undefined where outbound is not used. */
  regId: number | undefined
  /** @internal */
  heapIndex = -1
  /** Parameters as text, each with its semicolon. */
  private suffix = ''

  constructor(init: BindingInit) {
    this.id = init.id
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
    this.instance = ownText(init.instance, undefined)
    this.regId = init.regId
    this.setParams(init.params)
  }

  /** The contact URI, parsed anew at each call. */
  get contact(): SipUri {
    return parseSipUri(this.uri)
  }

  /** Contact parameters other than expires, q, +sip.instance and reg-id, decoded anew at each call. */
  get params(): ReadonlyMap<string, string | null> {
    return readParams(this.suffix)
  }

  /** Where requests to it go; see {@link bindingTarget}. */
  toTarget(isFlowOpen?: (flowId: number) => boolean): BindingTarget {
    return bindingTarget(this, isFlowOpen)
  }

  /** The Contact value of a REGISTER response (RFC 3261 §10.3 step 8). */
  toContactText(nowMs: number): string {
    const seconds = Math.max(0, Math.ceil((this.expiresAtMs - nowMs) / 1_000))
    const q = this.q === 1 ? '' : `;q=${this.q}`
    const instance = this.instance === undefined ? '' : `;+sip.instance="<${escaped(this.instance)}>"`
    const regId = this.regId === undefined ? '' : `;reg-id=${this.regId}`
    return `<${this.uri}>${instance}${regId}${this.suffix}${q};expires=${seconds}`
  }

  /** Plain data for a store; the inverse of the constructor. */
  toInit(): BindingInit {
    const { id, aor, uri, params, expiresAtMs, q, callId, cseq, path, receivedFrom, flowId, userAgent } = this
    const { instance, regId } = this
    return {
      ...{ id, aor, uri, params, expiresAtMs, q, callId, cseq, path, receivedFrom, flowId, userAgent },
      ...{ instance, regId },
    }
  }

  /** @internal Takes over what a refresh brings. */
  refresh(init: BindingInit): void {
    if (this.uri !== init.uri) this.uri = detachText(init.uri)
    this.expiresAtMs = init.expiresAtMs
    this.q = init.q
    if (this.callId !== init.callId) this.callId = detachText(init.callId)
    this.cseq = init.cseq
    this.path = ownPath(init.path)
    this.receivedFrom = init.receivedFrom
    this.flowId = init.flowId
    this.userAgent = init.userAgent
    this.instance = ownText(init.instance, this.instance)
    this.regId = init.regId
    this.setParams(init.params)
  }

  private setParams(params: ReadonlyMap<string, string | null>): void {
    const suffix = params.size === 0 ? '' : writeParams(params)
    if (suffix !== this.suffix) this.suffix = detachText(suffix)
  }
}

/** The text known before when it is the same, else a copy that keeps no message alive. */
function ownText(text: string | undefined, known: string | undefined): string | undefined {
  if (text === known || text === undefined) return text === undefined ? undefined : known
  return detachText(text)
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
    else text += token.test(value) ? `;${name}=${value}` : `;${name}="${escaped(value)}"`
  }
  return text
}

function escaped(text: string): string {
  return text.replace(/["\\]/g, '\\$&')
}

/** Reads what {@link writeParams} wrote. */
function readParams(suffix: string): Map<string, string | null> {
  const params = new Map<string, string | null>()
  for (const [, name = '', quoted, plain] of suffix.matchAll(/;([^;="]+)(?:="((?:[^"\\]|\\.)*)"|=([^;"]*))?/gs)) {
    params.set(name, quoted?.replace(/\\(.)/gs, '$1') ?? plain ?? null)
  }
  return params
}
