/** Responses to requests that came in: RFC 3261 §8.2.6, §12.1.1 (Contact, Record-Route), §20.5 and §20.37; RFC 4028 §9. */
import { type HeaderInit, responseTo, type SipRequest, type SipResponse, SipUri } from '@carillon/sip-parser'
import { sessionAnswerHeaders } from '../../dialog/session-interval'
import type { Flow } from '../../ports'
import type { DialogSession } from '../calls/dialog-session'
import type { Core } from '../core'
import type { ReplyOptions } from '../options'

/** Methods whose 2xx is of a dialog with a subscription (RFC 6665 §4.4.1, RFC 3515 §2.4.4). */
const makesSubscription: ReadonlySet<string> = new Set(['SUBSCRIBE', 'NOTIFY', 'REFER'])

/** What is answered. */
export interface Answered {
  readonly message: SipRequest
  readonly flow: Flow
  /** The dialog that the request is in, or has made. */
  readonly session: DialogSession | undefined
  /** Headers of a 2xx with that body, beside those of its options. */
  readonly successHeaders?: ((body: Uint8Array | string | undefined) => readonly HeaderInit[]) | undefined
}

/** Builds a response with the headers that are ours to write. `localTag` goes into To if there is none. */
export function buildResponse(
  core: Core,
  request: Answered,
  localTag: string,
  status: number,
  options: ReplyOptions,
): SipResponse {
  const { message, session } = request
  const { method } = message
  const isSession = (method === 'INVITE' || method === 'UPDATE') && status > 100 && status < 300
  const makesDialog = isSession || (makesSubscription.has(method) && status >= 200 && status < 300)
  const headers: HeaderInit[] = []
  if (typeof options.contact === 'string') headers.push(['Contact', options.contact])
  else if (options.contact ?? makesDialog) addContact(core, request, headers)
  if (isSession) {
    headers.push(...core.capabilityHeaders(session?.allow))
    const isSettled = status >= 200 && (method === 'INVITE' || session?.usage.state !== 'early')
    if (isSettled && session !== undefined) headers.push(...sessionAnswerHeaders(session.timers.judge(message)))
  }
  if (core.capabilities.server !== undefined) headers.push(['Server', core.capabilities.server])
  headers.push(...(options.headers ?? []))
  if (status >= 200 && status < 300 && request.successHeaders !== undefined)
    headers.push(
      ...request.successHeaders(options.body).filter(([name]) => !headers.some(([other]) => isSame(name, other))),
    )
  const { body, contentType, reason } = options
  return responseTo(message, status, {
    ...(status > 100 ? { toTag: localTag } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(body === undefined ? {} : { body, contentType: contentType ?? 'application/sdp' }),
    headers,
    recordRoute: makesDialog,
  })
}

function addContact(core: Core, request: Answered, headers: HeaderInit[]): void {
  const { message, flow } = request
  const entry = core.egress.entryOf(flow)
  if (entry === undefined) return
  const { uri } = message.to
  const user = uri instanceof SipUri ? uri.user : undefined
  headers.push(['Contact', core.egress.contactFor(entry, flow.remote.address, user, owesSips(message))])
}

function isSame(name: string, other: string): boolean {
  return name.toLowerCase() === other.toLowerCase()
}

/** RFC 3261 §12.1.1: a caller that came by SIPS URIs is to come back by one. */
function owesSips(message: SipRequest): boolean {
  if (message.uri.scheme === 'sips') return true
  const routes = message.decode('recordRoutes')
  if (routes.ok && routes.value.length > 0) return routes.value[0]?.uri.scheme === 'sips'
  const contacts = message.decode('contacts')
  return contacts.ok && contacts.value[0]?.uri.scheme === 'sips'
}
