/** What a REGISTER asks for, read and judged before anything is changed (RFC 3261 §10.2, §10.3 steps 6 and 7; RFC 3327; RFC 5626 §6; RFC 5627 §5.1). */
import { type Contact, type HeaderInit, type SipRequest, SipUri } from '@carillon/sip-parser'
import type { BindingLimits } from '../limits'

/** One contact to be bound, or, for 0 seconds, to be unbound. */
export interface ContactUpdate {
  readonly uri: SipUri
  readonly text: string
  readonly params: ReadonlyMap<string, string | null>
  readonly q: number
  /** The lifetime granted. */
  readonly seconds: number
  readonly instance: string | undefined
  /** Undefined unless the request is to be treated as RFC 5626 wants. */
  readonly regId: number | undefined
}

/** A refusal; nothing has been changed. */
export interface RegisterRefusal {
  readonly status: number
  readonly reason?: string
  readonly headers: readonly HeaderInit[]
}

/** What a REGISTER asks for. */
export type RegisterRequest =
  | { readonly kind: 'query' }
  | { readonly kind: 'remove-all'; readonly callId: string; readonly cseq: number }
  | {
      readonly kind: 'update'
      readonly callId: string
      readonly cseq: number
      readonly path: readonly string[]
      readonly updates: readonly ContactUpdate[]
      /** RFC 5626 §6: flows are told apart by instance and reg-id. */
      readonly isOutbound: boolean
    }

/** What a registrar can do beside RFC 3261. */
export interface RegisterAbilities {
  readonly outbound: boolean
}

/** Reads a REGISTER, or says how to refuse it. Never throws. */
export function readRegister(
  request: SipRequest,
  limits: BindingLimits,
  abilities: RegisterAbilities,
): RegisterRequest | RegisterRefusal {
  try {
    return read(request, limits, abilities)
  } catch {
    return refusal(400, 'Malformed Registration')
  }
}

function read(
  request: SipRequest,
  limits: BindingLimits,
  abilities: RegisterAbilities,
): RegisterRequest | RegisterRefusal {
  if (!request.has('Contact')) return { kind: 'query' }
  const callId = request.callId
  const cseq = request.cseq.seq
  if (callId.length > limits.contactBytesMax) return refusal(400, 'Call-ID Too Long')
  if (request.contactStar) {
    if (request.contacts.length > 0 || request.getAll('Contact').length > 1) return refusal(400, 'Contact * Not Alone')
    return request.expires === 0 ? { kind: 'remove-all', callId, cseq } : refusal(400, 'Contact * Needs Expires 0')
  }
  const contacts = request.contacts
  if (contacts.length > limits.contactsPerRequestMax) return refusal(403, 'Too Many Contacts')
  const path = request.getAll('Path')
  if (lengthOf(path) > limits.contactBytesMax) return refusal(400, 'Path Too Long')
  const isOutbound = abilities.outbound && asksForOutbound(request, contacts)
  if (isOutbound && !isFirstHopFit(request))
    return { status: 439, reason: 'First Hop Lacks Outbound Support', headers: [] }
  const updates: ContactUpdate[] = []
  for (const contact of contacts) {
    const update = readContact(contact, request, isOutbound, limits)
    if ('status' in update) return update
    // A contact named twice is meant once, as it is said last.
    const twice = updates.findIndex((other) => isSameContact(other, update))
    if (twice >= 0) updates.splice(twice, 1)
    updates.push(update)
  }
  const makesFlow = updates.some((update) => update.regId !== undefined && update.seconds > 0)
  if (makesFlow && updates.filter(({ seconds }) => seconds > 0).length > 1) return refusal(400, 'One Flow At A Time')
  return { kind: 'update', callId, cseq, path, updates, isOutbound: updates.some(({ regId }) => regId !== undefined) }
}

/** RFC 5626 §6: both parameters in the Contact, and the option tag. Without one of them RFC 3261 alone counts. */
function asksForOutbound(request: SipRequest, contacts: readonly Contact[]): boolean {
  if (!contacts.some(({ instance, regId }) => instance !== undefined && regId !== undefined && regId > 0)) return false
  return request.supported.some((tag) => tag.toLowerCase() === 'outbound')
}

/** RFC 5626 §6: whoever took the request from the phone keeps its flow, and says so with `ob` in its Path. */
function isFirstHopFit(request: SipRequest): boolean {
  if (request.vias.length <= 1) return true
  const edge = request.paths.at(-1)?.uri
  return edge instanceof SipUri && edge.params.has('ob')
}

function isSameContact(one: ContactUpdate, other: ContactUpdate): boolean {
  if (one.regId !== undefined || other.regId !== undefined)
    return one.regId === other.regId && one.instance === other.instance
  return one.text === other.text || one.uri.equals(other.uri)
}

function readContact(
  contact: Contact,
  request: SipRequest,
  isOutbound: boolean,
  limits: BindingLimits,
): ContactUpdate | RegisterRefusal {
  const uri = contact.uri
  if (!(uri instanceof SipUri)) return refusal(400, 'Contact Is No SIP URI')
  // RFC 5627 §5.1: what leads back here would lead in a circle.
  const to = request.to.uri
  if (uri.params.has('gr') && to instanceof SipUri && uri.host === to.host) return refusal(403, 'Contact Is A GRUU')
  const text = uri.toString()
  const params = ownParams(contact.params)
  const { instance } = contact
  let length = text.length + (instance?.length ?? 0)
  for (const [name, value] of params) length += name.length + (value?.length ?? 0)
  if (length > limits.contactBytesMax) return refusal(400, 'Contact Too Long')
  const asked = contact.expires ?? request.expires ?? limits.registrationSecondsDefault
  // What asks for an hour or more is never too brief, whatever the minimum (RFC 3261 §10.3 step 7).
  if (asked > 0 && asked < limits.registrationSecondsMin && asked < 3_600) {
    return { status: 423, headers: [['Min-Expires', limits.registrationSecondsMin]] }
  }
  const seconds = Math.min(asked, limits.registrationSecondsMax)
  const regId = isOutbound && instance !== undefined && contact.regId !== 0 ? contact.regId : undefined
  return { uri, text, params, q: contact.q ?? 1, seconds, instance, regId }
}

const notOwn = ['expires', 'q', '+sip.instance', 'reg-id', 'pub-gruu', 'temp-gruu'] as const

/** Parameters that are the contact's own, rather than the registration's or the registrar's. */
function ownParams(params: ReadonlyMap<string, string | null>): ReadonlyMap<string, string | null> {
  if (params.size === 0 || !notOwn.some((name) => params.has(name))) return params
  const own = new Map(params)
  for (const name of notOwn) own.delete(name)
  return own
}

function lengthOf(values: readonly string[]): number {
  return values.reduce((sum, value) => sum + value.length, 0)
}

function refusal(status: number, reason: string): RegisterRefusal {
  return { status, reason, headers: [] }
}
