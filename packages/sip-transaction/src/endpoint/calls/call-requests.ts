/**
 * What comes inside a call beside its session: REFER and its NOTIFYs (RFC 3515), INFO with digits or of an INFO package
 * (RFC 6086 §4.2). What nobody listens to is left to the handlers of the call.
 */

import type { Core } from '../core'
import { describeError } from '../driver'
import type { IncomingRequest } from '../requests/incoming-request'
import { type Dtmf, readDtmf } from './dtmf'
import type { IncomingTransfer } from './incoming-transfer'

/** An INFO request of a package, or of none (legacy). It has been answered 200. */
export interface CallInfo {
  /** The package that Info-Package names; undefined for legacy INFO. */
  readonly package: string | undefined
  readonly contentType: string | undefined
  /** A view into the message; not to be changed. */
  readonly body: Uint8Array
}

/** What a call tells its user, by `call.on`. */
export interface CallEvents {
  /** The peer wants this end to talk to somebody else; decide with `follow`, `accept` or `refuse`. */
  readonly transfer: IncomingTransfer
  /** A digit came by INFO, or was handed in by `hearDtmf`. */
  readonly dtmf: Dtmf
  readonly info: CallInfo
}

type Listeners = { [K in keyof CallEvents]: Set<(data: CallEvents[K]) => void> }

/** The listeners of one call. */
export class CallListeners {
  private readonly listeners: Listeners = { transfer: new Set(), dtmf: new Set(), info: new Set() }

  constructor(private readonly core: Core) {}

  on<K extends keyof CallEvents>(event: K, listener: (data: CallEvents[K]) => void): () => void {
    this.listeners[event].add(listener)
    return () => {
      this.listeners[event].delete(listener)
    }
  }

  has(event: keyof CallEvents): boolean {
    return this.listeners[event].size > 0
  }

  emit<K extends keyof CallEvents>(event: K, data: CallEvents[K]): void {
    for (const listener of this.listeners[event]) {
      try {
        listener(data)
      } catch (error) {
        this.core.logger.error({ event, error: describeError(error) }, 'A callback failed')
      }
    }
  }

  /** An INFO in the call; false when it is left to the handlers. */
  receiveInfo(incoming: IncomingRequest): boolean {
    const { message, body } = incoming
    const infoPackage = message.get('Info-Package')?.split(';')[0]?.trim()
    const contentType = message.get('Content-Type')
    const { infoPackages } = this.core.capabilities
    if (infoPackage !== undefined && !infoPackages.some((name) => name.toLowerCase() === infoPackage.toLowerCase())) {
      // RFC 6086 §4.2.2: which packages would be taken.
      incoming.answer(469, [['Recv-Info', infoPackages.join(', ')]], 'Bad Info Package')
      return true
    }
    const digit = infoPackage === undefined ? readDtmf(contentType, body) : undefined
    if (digit !== undefined && this.has('dtmf')) {
      incoming.answer(200)
      this.emit('dtmf', digit)
      return true
    }
    if (!this.has('info')) return false
    incoming.answer(200)
    this.emit('info', { package: infoPackage, contentType, body })
    return true
  }
}
