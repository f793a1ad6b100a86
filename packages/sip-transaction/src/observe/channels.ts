/**
 * What a stack tells whoever watches the process, by `node:diagnostics_channel`: one channel a subject, each with one
 * type of event. Nothing is made when nobody has subscribed, and nothing an observer does changes what the stack does.
 */
import { channel } from 'node:diagnostics_channel'
import type { NameAddr, SipMessage, SipRequest, SipResponse } from '@carillon/sip-parser'
import type { TransactionFailure, TransactionId } from '../effects'
import type { DropReason } from '../endpoint/counters'
import type { CallEnd } from '../endpoint/options'
import type { SipStack } from '../endpoint/stack'
import type { FlowAddress } from '../ports'

/** The names of the channels, for `diagnostics_channel.subscribe`. */
export const sipChannels = {
  /** Every message as it comes in or goes out, retransmissions included. */
  message: 'carillon:sip:message',
  /** Transactions: begun, answered, cancelled, failed, ended. */
  transaction: 'carillon:sip:transaction',
  /** Dialogs of calls: early, confirmed, ended. */
  dialog: 'carillon:sip:dialog',
  /** Flows: a connection, or a peer of a datagram socket, begun and ended. */
  flow: 'carillon:sip:flow',
  /** What was not handed on: garbage, strays, refused connections. */
  dropped: 'carillon:sip:dropped',
} as const

/** What all events have in common. */
interface SipEvent {
  /** Whose event it is: a process may have several stacks. */
  readonly stack: SipStack | undefined
  /** The stack's wall clock, in milliseconds since the Unix epoch. */
  readonly wallMs: number
}

/** An event of `carillon:sip:message`. Credentials are in it: write `message.toJSON()` into logs, never the bytes. */
export interface SipMessageEvent extends SipEvent {
  readonly direction: 'in' | 'out'
  /** The whole message; not to be changed. */
  readonly bytes: Uint8Array
  /** Request line or status line. */
  readonly startLine: string
  readonly transport: string
  /** Absent when the transport has not chosen a connection yet. */
  readonly local: FlowAddress | undefined
  readonly remote: FlowAddress
  /** The parsed message; one that goes out is parsed when this is first read. Undefined when it cannot be parsed. */
  readonly message: SipMessage | undefined
}

/** An event of `carillon:sip:transaction`, of either side: `client` sent the request, `server` got it. */
export type SipTransactionEvent = SipEvent & { readonly transactionId: TransactionId } & (
    | {
        readonly kind: 'started'
        readonly role: 'client' | 'server'
        readonly request: SipRequest
        readonly remote: FlowAddress
      }
    /** A response went up to the user of a client transaction, or was sent by the user of a server transaction. */
    | { readonly kind: 'response'; readonly role: 'client' | 'server'; readonly response: SipResponse }
    | { readonly kind: 'cancelled'; readonly role: 'server'; readonly cancel: SipRequest }
    | { readonly kind: 'failed'; readonly reason: TransactionFailure }
    | { readonly kind: 'ended' }
  )

/** An event of `carillon:sip:dialog`. A dialog that a failure ends before its answer goes from `early` to `ended`. */
export interface SipDialogEvent extends SipEvent {
  readonly kind: 'early' | 'confirmed' | 'ended'
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
  readonly local: NameAddr
  readonly remote: NameAddr
  /** How it ended; with `ended` only. */
  readonly end?: CallEnd
}

/** An event of `carillon:sip:flow`. */
export interface SipFlowEvent extends SipEvent {
  readonly kind: 'opened' | 'closed'
  readonly flowId: number
  readonly transport: string
  readonly isReliable: boolean
  readonly isSecure: boolean
  readonly local: FlowAddress
  readonly remote: FlowAddress
  /** Why it closed; with `closed` only. */
  readonly reason?: string
}

/** An event of `carillon:sip:dropped`. */
export interface SipDroppedEvent extends SipEvent {
  readonly reason: DropReason
  readonly remote: FlowAddress
  /** An error code, or a few words; nothing of what the peer sent. */
  readonly detail: string
}

/** The events by the subject of their channel. */
export interface SipChannelEvents {
  readonly message: SipMessageEvent
  readonly transaction: SipTransactionEvent
  readonly dialog: SipDialogEvent
  readonly flow: SipFlowEvent
  readonly dropped: SipDroppedEvent
}

/** A channel of `node:diagnostics_channel`, with the type of its events. */
interface TypedChannel<T> {
  readonly hasSubscribers: boolean
  publish(event: T): void
  subscribe(listener: (event: unknown) => void): void
  unsubscribe(listener: (event: unknown) => void): void
}

/** @internal The channels themselves. */
export const channels: { readonly [K in keyof SipChannelEvents]: TypedChannel<SipChannelEvents[K]> } = {
  message: channel(sipChannels.message),
  transaction: channel(sipChannels.transaction),
  dialog: channel(sipChannels.dialog),
  flow: channel(sipChannels.flow),
  dropped: channel(sipChannels.dropped),
}

/**
 * Subscribes to a channel with the type of its events, for every stack of the process.
 * @param onError told what `listener` throws; a process warning when absent. With `diagnostics_channel.subscribe` itself
 * a listener that throws ends the process, as Node wants it.
 * @returns a function that ends the subscription
 */
export function subscribeSip<K extends keyof SipChannelEvents>(
  subject: K,
  listener: (event: SipChannelEvents[K]) => void,
  onError: (error: unknown) => void = warn,
): () => void {
  const shielded = (event: unknown) => {
    try {
      listener(event as SipChannelEvents[K])
    } catch (error) {
      onError(error)
    }
  }
  channels[subject].subscribe(shielded)
  return () => {
    channels[subject].unsubscribe(shielded)
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}
