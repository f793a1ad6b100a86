/** What a SUBSCRIBE asks for, and whether it is granted: RFC 6665 §4.2.1.1, §4.2.1.2, §8.2; RFC 3515 §2.4.4. */
import { EventType, type HeaderInit } from '@carillon/sip-parser'
import type { Core } from '../core'
import type { IncomingRequest } from '../requests/incoming-request'

/** A refusal. */
export interface SubscriptionRefusal {
  readonly status: number
  readonly headers: readonly HeaderInit[]
}

/** The lifetime granted, in seconds, 0 for a fetch or an end; or how to refuse. */
export function lifetimeFor(
  core: Core,
  incoming: IncomingRequest,
  options: NotifierTerms,
): number | SubscriptionRefusal {
  const { message, method } = incoming
  const { limits } = core
  const { event } = options
  const longest = Math.min(options.expiresSecondsMax ?? event.expiresSeconds, limits.subscriptionSecondsMax)
  if (method === 'REFER') return longest
  const asked = message.decode('event')
  if (!asked.ok || asked.value?.package !== event.name) return { status: 489, headers: [['Allow-Events', event.name]] }
  const accept = message.get('Accept')
  if (accept !== undefined && !accepts(message.getAll('Accept').join(','), event.contentType))
    return { status: 406, headers: [['Accept', event.contentType]] }
  const expires = message.decode('expires')
  if (!expires.ok) return { status: 400, headers: [] }
  const wanted = expires.value ?? event.expiresSeconds
  const shortest = Math.min(limits.subscriptionSecondsMin, longest)
  if (wanted > 0 && wanted < shortest) return { status: 423, headers: [['Min-Expires', shortest]] }
  return Math.min(wanted, longest)
}

/** What of the options of a notifier matters here. */
interface NotifierTerms {
  readonly event: { readonly name: string; readonly contentType: string; readonly expiresSeconds: number }
  readonly expiresSecondsMax?: number
}

/** An Event value. */
export function eventHeader(event: string, id: string | undefined): string {
  return EventType.of(event, id).toString()
}

/** Whether an Accept value names a type, by itself or by a range. */
function accepts(accept: string, contentType: string): boolean {
  const type = contentType.toLowerCase().split(';')[0]!.trim()
  const range = `${type.split('/')[0]}/*`
  return accept
    .toLowerCase()
    .split(',')
    .some((each) => {
      const name = each.split(';')[0]!.trim()
      return name === type || name === range || name === '*/*'
    })
}
