/**
 * Which part of the server answers which method. What is not named here, the stack answers: 405 or 501, and everything
 * inside a dialog.
 */
import type { SipStack } from '@carillon/sip-transaction'
import type { CallManager } from './calls/call-manager'
import type { Registrar } from './registrar/registrar'

/** The parts of the server that answer requests. */
export interface Services {
  readonly registrar: Registrar
  readonly calls: CallManager
}

/** The methods that the server understands (RFC 3261 §20.5). */
export const ALLOWED_METHODS = 'INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, MESSAGE, UPDATE'

/** Joins the services to a stack. */
export function dispatch(stack: SipStack, services: Services): void {
  stack.method('REGISTER', services.registrar.handle)
  stack.method('INVITE', services.calls.handle)
  // RFC 3261 §11.2: what the server can do; asked by phones that probe, and by monitors.
  stack.method('OPTIONS', (request) =>
    request.reply(200, {
      headers: [
        ['Allow', ALLOWED_METHODS],
        ['Accept', 'application/sdp'],
      ],
    }),
  )
}
