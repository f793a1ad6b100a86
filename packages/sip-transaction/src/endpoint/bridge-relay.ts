/** Requests inside a bridged call that change nothing of it: passed to the other side (INFO, MESSAGE) or refused. */
import type { HeaderInit } from '@carillon/sip-parser'
import { isKnownMethod } from './answer-by-default'
import type { DialogSession } from './dialog-session'
import type { IncomingRequest } from './incoming-request'
import { acceptedBodies } from './session-body'

const passed: ReadonlySet<string> = new Set(['INFO', 'MESSAGE'])

/** What may be sent inside a bridged call (RFC 3261 §20.5). */
export const bridgeAllow = 'INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, MESSAGE'

/** Headers that belong to the content of the request and go along with it. */
const passedHeaders = ['Content-Disposition', 'Info-Package']

/** Passes a request to the other side and its answer back. */
export function relayRequest(incoming: IncomingRequest, other: DialogSession | undefined): void {
  const { method, message } = incoming
  if (method === 'OPTIONS') {
    incoming.answer(200, [
      ['Allow', bridgeAllow],
      ['Accept', acceptedBodies],
    ])
    return
  }
  // What a PRACK offers after the answer cannot be put to the other side in time (RFC 3262 §5).
  if (method === 'PRACK') {
    incoming.answer(488)
    return
  }
  if (!passed.has(method)) {
    incoming.answer(isKnownMethod(method) && method !== 'REFER' ? 405 : 501, [['Allow', bridgeAllow]])
    return
  }
  if (other === undefined || !other.isAlive) {
    incoming.answer(481)
    return
  }
  const headers: HeaderInit[] = []
  for (const name of passedHeaders) {
    const value = message.get(name)
    if (value !== undefined) headers.push([name, value])
  }
  const contentType = message.get('Content-Type')
  const body =
    message.bodyLength === 0 ? {} : { body: message.body, ...(contentType === undefined ? {} : { contentType }) }
  other.request(
    method,
    { headers, ...body },
    {
      final: (response) => {
        const type = response.get('Content-Type')
        const withBody = response.bodyLength > 0 && type !== undefined
        if (!incoming.isAnswered)
          incoming.reply(response.status, withBody ? { body: response.body, contentType: type } : {})
      },
      error: (code) => incoming.answer(code === 'TIMEOUT' ? 408 : 500),
    },
  )
}
