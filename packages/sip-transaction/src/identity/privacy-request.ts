/** What somebody wants hidden: the Privacy header (RFC 3323 §4.2), with `id` (RFC 3325 §9.3) and `history` (RFC 7044 §10.1). */
import type { SipRequest, SipResponse } from '@carillon/sip-parser'
import { privacyValuesMax } from '../limits'

/**
 * One level of privacy. `user`: what the user's own device says of him; `header`: the headers that name his devices and
 * servers; `session`: where his media comes from; `id`: the identity that the network asserts; `history`: whom the request
 * was for before. `none`: nothing may be hidden; `critical`: rather no call than one that shows any of it.
 */
export type PrivacyValue = 'header' | 'session' | 'user' | 'none' | 'id' | 'critical' | 'history'

/** What a message asks for. */
export interface PrivacyRequest {
  /** The levels asked for, without `none` and `critical`. */
  readonly levels: ReadonlySet<Exclude<PrivacyValue, 'none' | 'critical'>>
  /** Levels that nobody here knows, in lower case. */
  readonly unknown: readonly string[]
  /** True when the request is to fail where a level cannot be given. */
  readonly isCritical: boolean
  /** True when the sender wants nothing hidden, not even what is usually hidden for him. */
  readonly isNone: boolean
}

const known: ReadonlySet<string> = new Set(['header', 'session', 'user', 'id', 'history'])

function isLevel(word: string): word is Exclude<PrivacyValue, 'none' | 'critical'> {
  return known.has(word)
}

/**
 * Reads the Privacy headers of a message. A header that is malformed (commas, empty values, several lines) is read as far
 * as it has words: whoever wants something hidden is not to be shown because of a comma. `none` beside a level means nothing.
 */
export function privacyOf(message: SipRequest | SipResponse): PrivacyRequest {
  if (!message.has('Privacy')) return noPrivacy
  const levels = new Set<Exclude<PrivacyValue, 'none' | 'critical'>>()
  const unknown = new Set<string>()
  let isCritical = false
  let saysNone = false
  for (const line of message.getAll('Privacy')) {
    for (const word of line.toLowerCase().split(/[;,\s]+/, privacyValuesMax)) {
      if (isLevel(word)) levels.add(word)
      else if (word === 'none') saysNone = true
      else if (word === 'critical') isCritical = true
      else if (word !== '' && unknown.size < privacyValuesMax) unknown.add(word)
    }
  }
  const isNone = saysNone && levels.size === 0 && unknown.size === 0
  return { levels, unknown: [...unknown], isCritical, isNone }
}

const noPrivacy: PrivacyRequest = { levels: new Set(), unknown: [], isCritical: false, isNone: false }

/** The value of a Privacy header; `critical` comes last. */
export function writePrivacy(values: Iterable<string>): string {
  const words = new Set(values)
  const isCritical = words.delete('critical')
  return [...words, ...(isCritical ? ['critical'] : [])].join(';')
}
