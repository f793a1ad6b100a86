/**
 * Observers of a stack: its own listeners, and those of the process's diagnostics channels. What listeners throw is
 * logged and goes no further.
 */
import { parseMessage, type SipMessage, type SipRequest, type SipResponse } from '@carillon/sip-parser'
import type { Effect } from '../effects'
import { channels, type SipDialogEvent, type SipMessageEvent, type SipTransactionEvent } from '../observe/channels'
import type { Clock, Flow, FlowAddress } from '../ports'
import type { DialogSession } from './calls/dialog-session'
import type { CallEnd, MessageEvent, StackEvents } from './options'
import type { SipStack } from './stack'

type WithoutCommon<T> = T extends unknown ? Omit<T, 'stack' | 'wallMs'> : never

/** Listeners by event. */
export class Observers {
  /** Whose events they are. */
  stack: SipStack | undefined
  private readonly listeners: { [K in keyof StackEvents]: Set<(data: StackEvents[K]) => void> } = {
    messageIn: new Set(),
    messageOut: new Set(),
    connectionClosed: new Set(),
    flowClosed: new Set(),
    serverUnproven: new Set(),
    dropped: new Set(),
  }

  constructor(
    private readonly clock: Clock,
    private readonly failed: (error: unknown) => void,
  ) {}

  on<K extends keyof StackEvents>(event: K, listener: (data: StackEvents[K]) => void): () => void {
    this.listeners[event].add(listener)
    return () => {
      this.listeners[event].delete(listener)
    }
  }

  /** Whether making the event's data is worth the while. */
  has(event: keyof StackEvents): boolean {
    return this.listeners[event].size > 0
  }

  emit<K extends keyof StackEvents>(event: K, data: StackEvents[K]): void {
    for (const listener of this.listeners[event]) {
      try {
        listener(data)
      } catch (error) {
        this.failed(error)
      }
    }
  }

  /** Whether anybody wants to see messages of that direction. */
  watches(direction: 'messageIn' | 'messageOut'): boolean {
    return this.listeners[direction].size > 0 || channels.message.hasSubscribers
  }

  /** A message came in or goes out. */
  message(event: MessageEvent): void {
    this.emit(event.direction === 'in' ? 'messageIn' : 'messageOut', event)
    if (channels.message.hasSubscribers) {
      channels.message.publish(new ObservedMessage(this.stack, this.clock.wallMs(), event))
    }
  }

  /** A server has proved nothing by its proof. */
  unproven({ method, uri, callId }: SipRequest, { status }: SipResponse, { remote }: Flow): void {
    this.emit('serverUnproven', { method, uri, callId, status, remote })
  }

  /** Something was not handed on. */
  dropped(event: StackEvents['dropped']): void {
    this.emit('dropped', event)
    if (channels.dropped.hasSubscribers) channels.dropped.publish({ ...this.common(), ...event })
  }

  /** A flow has begun. */
  flowOpened(flow: Flow): void {
    if (channels.flow.hasSubscribers) channels.flow.publish({ ...this.common(), kind: 'opened', ...factsOf(flow) })
  }

  /** A flow has ended. */
  flowClosed(flow: Flow, reason: string): void {
    if (flow.isReliable && this.has('connectionClosed')) {
      const { id: flowId, transport, remote, local } = flow
      this.emit('connectionClosed', { flowId, transport, remote, local, reason })
    }
    if (this.has('flowClosed')) this.emit('flowClosed', { flowId: flow.id, remote: flow.remote, reason })
    if (channels.flow.hasSubscribers) {
      channels.flow.publish({ ...this.common(), kind: 'closed', ...factsOf(flow), reason })
    }
  }

  /** What a transaction reports to its user. Called when the channel has subscribers only. */
  effect(effect: Effect): void {
    switch (effect.kind) {
      case 'request':
        this.transaction({
          kind: 'started',
          role: 'server',
          transactionId: effect.transactionId,
          request: effect.request,
          remote: effect.flow.remote,
        })
        break
      case 'response':
        this.transaction({
          kind: 'response',
          role: 'client',
          transactionId: effect.transactionId,
          response: effect.response,
        })
        break
      case 'cancelled':
        this.transaction({
          kind: 'cancelled',
          role: 'server',
          transactionId: effect.transactionId,
          cancel: effect.cancel,
        })
        break
      case 'failed':
        this.transaction({ kind: 'failed', transactionId: effect.transactionId, reason: effect.reason })
        break
      case 'terminated':
        this.transaction({ kind: 'ended', transactionId: effect.transactionId })
        break
    }
  }

  /** A transaction has come a step further. */
  transaction(event: WithoutCommon<SipTransactionEvent>): void {
    if (channels.transaction.hasSubscribers) channels.transaction.publish({ ...this.common(), ...event })
  }

  /** A dialog has come a step further. */
  dialog(kind: SipDialogEvent['kind'], session: DialogSession, end?: CallEnd): void {
    if (!channels.dialog.hasSubscribers) return
    const { callId, localTag, remoteTag, local, remote } = session.dialog
    const facts = { callId, localTag, remoteTag, local, remote }
    channels.dialog.publish({ ...this.common(), kind, ...facts, ...(end === undefined ? {} : { end }) })
  }

  clear(): void {
    for (const set of Object.values(this.listeners)) set.clear()
  }

  private common() {
    return { stack: this.stack, wallMs: this.clock.wallMs() }
  }
}

/** The event of the message channel: what goes out is parsed only for those who look at it. */
class ObservedMessage implements SipMessageEvent {
  readonly direction: 'in' | 'out'
  readonly bytes: Uint8Array
  readonly startLine: string
  readonly transport: string
  readonly local: FlowAddress | undefined
  readonly remote: FlowAddress
  private parsed: SipMessage | undefined
  private isParsed: boolean

  constructor(
    readonly stack: SipStack | undefined,
    readonly wallMs: number,
    event: MessageEvent,
  ) {
    this.direction = event.direction
    this.bytes = event.bytes
    this.startLine = event.startLine
    this.transport = event.transport
    this.local = event.local
    this.remote = event.remote
    this.parsed = event.message
    this.isParsed = event.direction === 'in'
  }

  get message(): SipMessage | undefined {
    if (!this.isParsed) {
      this.isParsed = true
      this.parsed = parseMessage(this.bytes).message
    }
    return this.parsed
  }
}

function factsOf(flow: Flow) {
  const { id: flowId, transport, isReliable, isSecure, local, remote } = flow
  return { flowId, transport, isReliable, isSecure, local, remote }
}
