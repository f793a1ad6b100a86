/** Requests inside a bridged call that change nothing of it: passed to the other side (INFO, MESSAGE, NOTIFY) or refused. */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'
import type { BridgeSide } from '../../b2bua/bridge-types'
import { type HeaderPolicy, passedHeaders } from '../../b2bua/header-policy'
import { isKnownMethod } from '../answer-by-default'
import type { DialogSession } from '../calls/dialog-session'
import { acceptedBodies } from '../calls/session-body'
import type { IncomingRequest } from '../requests/incoming-request'
import type { BridgeHost } from './bridge-leg'
import type { BridgeOptions } from './bridge-options'

/** NOTIFY comes of a REFER that was passed on. */
const passed: ReadonlySet<string> = new Set(['INFO', 'MESSAGE', 'NOTIFY'])

const always = 'INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, MESSAGE'

/** What may be sent inside a bridged call (RFC 3261 §20.5). */
export function allowOf({ transfers = 'refuse' }: Pick<BridgeOptions, 'transfers'>): string {
  return transfers === 'refuse' ? always : `${always}, REFER, NOTIFY`
}

/** Headers that belong to the content of the request and go along with it. */
const contentHeaders: Readonly<Record<string, readonly string[]>> = {
  REFER: ['Refer-To', 'Referred-By', 'Refer-Sub'],
  NOTIFY: ['Event', 'Subscription-State'],
}

/** What passes in the direction of the request, and back. */
export interface RelayPolicies {
  readonly there: HeaderPolicy | undefined
  readonly back: HeaderPolicy | undefined
}

/** The policies for a request of that side. */
export function relayPolicies({ headerPolicy }: BridgeOptions, side: BridgeSide): RelayPolicies {
  const { toA, toB } = headerPolicy ?? {}
  return side === 'a' ? { there: toB, back: toA } : { there: toA, back: toB }
}

/** Passes a request of that side to the other one and its answer back, or answers what is not for passing. */
export function relayRequest(bridge: BridgeHost, side: BridgeSide, incoming: IncomingRequest): void {
  const { method } = incoming
  const { options, core } = bridge
  const other = bridge.sessionOf(side === 'a' ? 'b' : 'a')
  const allow: HeaderInit = ['Allow', allowOf(options)]
  if (method === 'OPTIONS') incoming.answer(200, [allow, ['Accept', acceptedBodies]])
  else if (!passed.has(method) || !String(allow[1]).includes(method))
    incoming.answer(isKnownMethod(method) ? 405 : 501, [allow])
  else if (other === undefined && bridge.isSettingUp)
    // Nobody is there yet, which says nothing of the dialog.
    incoming.answer(500, [['Retry-After', Math.floor(core.random.fraction() * 11)]])
  else passRequest(incoming, other, relayPolicies(options, side))
}

/** Passes any request to the other side, and its answer back. */
export function passRequest(
  incoming: IncomingRequest,
  other: DialogSession | undefined,
  policies: RelayPolicies,
): void {
  const { method, message } = incoming
  if (other === undefined || !other.isAlive) {
    incoming.answer(481)
    return
  }
  const headers = [...contentOf(message), ...passedHeaders(message, policies.there)]
  const contentType = message.get('Content-Type')
  const body =
    message.bodyLength === 0 ? {} : { body: message.body, ...(contentType === undefined ? {} : { contentType }) }
  const final = (response: SipResponse) => {
    const type = response.get('Content-Type')
    const withBody = response.bodyLength > 0 && type !== undefined
    if (incoming.isAnswered) return
    const back = [...subscriptionOf(response), ...passedHeaders(response, policies.back)]
    incoming.reply(response.status, { headers: back, ...(withBody ? { body: response.body, contentType: type } : {}) })
  }
  other.request(
    method,
    { headers, ...body },
    { final, error: (code) => incoming.answer(code === 'TIMEOUT' ? 408 : 500) },
  )
}

function contentOf(message: SipRequest): HeaderInit[] {
  const headers: HeaderInit[] = []
  for (const name of ['Content-Disposition', 'Info-Package', ...(contentHeaders[message.method] ?? [])]) {
    const value = message.get(name)
    if (value === undefined) continue
    // The id is the number of our REFER, which means nothing on the other leg.
    headers.push([name, name === 'Event' ? value.replace(/;\s*id\s*=\s*[^;]*/i, '') : value])
  }
  return headers
}

/** Whether a REFER that was passed leads to NOTIFYs (RFC 4488 §4). */
function subscriptionOf(response: SipResponse): HeaderInit[] {
  const value = response.get('Refer-Sub')
  return value === undefined ? [] : [['Refer-Sub', value]]
}
