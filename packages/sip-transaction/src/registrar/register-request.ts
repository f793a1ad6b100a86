/** What a REGISTER asks for, read and judged before anything is changed (RFC 3261 §10.2, §10.3 steps 6 and 7; RFC 3327). */
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
    }

/** Reads a REGISTER, or says how to refuse it. Never throws. */
export function readRegister(request: SipRequest, limits: BindingLimits): RegisterRequest | RegisterRefusal {
  try {
    return read(request, limits)
  } catch {
    return refusal(400, 'Malformed Registration')
  }
}

function read(request: SipRequest, limits: BindingLimits): RegisterRequest | RegisterRefusal {
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
  const updates: ContactUpdate[] = []
  for (const contact of contacts) {
    const update = readContact(contact, request.expires, limits)
    if ('status' in update) return update
    // A contact named twice is meant once, as it is said last.
    const twice = updates.findIndex((other) => other.text === update.text || other.uri.equals(update.uri))
    if (twice >= 0) updates.splice(twice, 1)
    updates.push(update)
  }
  return { kind: 'update', callId, cseq, path, updates }
}

function readContact(
  contact: Contact,
  common: number | undefined,
  limits: BindingLimits,
): ContactUpdate | RegisterRefusal {
  const uri = contact.uri
  if (!(uri instanceof SipUri)) return refusal(400, 'Contact Is No SIP URI')
  const text = uri.toString()
  const params = ownParams(contact.params)
  let length = text.length
  for (const [name, value] of params) length += name.length + (value?.length ?? 0)
  if (length > limits.contactBytesMax) return refusal(400, 'Contact Too Long')
  const asked = contact.expires ?? common ?? limits.registrationSecondsDefault
  // What asks for an hour or more is never too brief, whatever the minimum (RFC 3261 §10.3 step 7).
  if (asked > 0 && asked < limits.registrationSecondsMin && asked < 3_600) {
    return { status: 423, headers: [['Min-Expires', limits.registrationSecondsMin]] }
  }
  return { uri, text, params, q: contact.q ?? 1, seconds: Math.min(asked, limits.registrationSecondsMax) }
}

/** Parameters that are the contact's own, rather than the registration's. */
function ownParams(params: ReadonlyMap<string, string | null>): ReadonlyMap<string, string | null> {
  if (!params.has('expires') && !params.has('q')) return params
  const own = new Map(params)
  own.delete('expires')
  own.delete('q')
  return own
}

function lengthOf(values: readonly string[]): number {
  return values.reduce((sum, value) => sum + value.length, 0)
}

function refusal(status: number, reason: string): RegisterRefusal {
  return { status, reason, headers: [] }
}
