/**
 * Dialogs that carry subscriptions, alone or beside a call, and who in them gets which SUBSCRIBE and NOTIFY:
 * RFC 6665 §4.4.1 (a NOTIFY makes the dialog, and may come before the 2xx), §4.5.2 and RFC 5057 (several usages of one
 * dialog: the last one takes it along). Every method runs inside an input.
 */
import type { HeaderInit, SipRequest } from '@carillon/sip-parser'
import type { DigestClient } from '../../auth/client'
import { type Dialog, dialogKey } from '../../dialog/dialog'
import type { DialogSession } from '../calls/dialog-session'
import type { Core } from '../core'
import type { InDialogOptions } from '../options'
import { ClientRequest, type ClientRequestUser } from '../requests/client-request'
import type { IncomingRequest } from '../requests/incoming-request'
import { PeerHop } from '../wire/peer-hop'

/** One end of one subscription. */
export interface EventUsage {
  readonly role: 'subscriber' | 'notifier'
  /** Whether a SUBSCRIBE or NOTIFY with this Event header is of this subscription (RFC 6665 §4.5.1). */
  matches(event: string, id: string | undefined): boolean
  receive(incoming: IncomingRequest): void
  /** The stack closes: the peer is told, if there is time. */
  hangUp(): void
  /** The end, without a word. */
  close(): void
}

/** Who waits for the NOTIFY that makes a dialog. */
export interface NotifyWaiter {
  /** True while no NOTIFY has come. */
  readonly isUnbound: boolean
  /** A NOTIFY of a dialog that is not known yet; false when it is not wanted. */
  firstNotify(incoming: IncomingRequest): boolean
  hangUp(): void
  close(): void
}

/** Gets what makes a new subscription in a dialog. */
interface Dispatcher {
  dispatch(core: Core, incoming: IncomingRequest): void
}

/** A dialog with subscriptions in it. */
export class EventDialog {
  readonly usages = new Set<EventUsage>()
  private firstRefer: number | undefined

  constructor(
    readonly core: Core,
    readonly dialog: Dialog,
    readonly hop: PeerHop,
    readonly auth: DigestClient | undefined,
  ) {}

  /** Enters a subscription; the dialog lives as long as it has one. */
  add(usage: EventUsage): void {
    this.usages.add(usage)
    this.core.events.dialogs.set(this.dialog.key, this)
    this.core.events.count += 1
  }

  /** A subscription is over. */
  remove(usage: EventUsage): void {
    if (!this.usages.delete(usage)) return
    const { events } = this.core
    events.count -= 1
    if (this.usages.size === 0 && events.dialogs.get(this.dialog.key) === this) events.dialogs.delete(this.dialog.key)
    this.core.onChange()
  }

  /** Whether this REFER is not the first that has a subscription here: only then it is named in Event (RFC 3515 §2.4.6). */
  hasReferred(cseq: number): boolean {
    this.firstRefer ??= cseq
    return this.firstRefer !== cseq
  }

  /** The subscription that a SUBSCRIBE or NOTIFY is of. */
  usageFor(message: SipRequest): EventUsage | undefined {
    const role = message.method === 'NOTIFY' ? 'subscriber' : 'notifier'
    const event = message.decode('event')
    if (!event.ok || event.value === undefined) return undefined
    for (const usage of this.usages)
      if (usage.role === role && usage.matches(event.value.package, event.value.id)) return usage
    return undefined
  }

  /** Takes note of a request; false when it came out of order and has been refused (RFC 3261 §12.2.2). */
  heard(incoming: IncomingRequest): boolean {
    if (!this.dialog.acceptCseq(incoming.message)) {
      incoming.answer(500, [['Retry-After', 1]], 'CSeq out of order')
      return false
    }
    this.hop.heardRequest(incoming.message, incoming.flow)
    return true
  }

  /** Sends a request in the dialog. */
  request(
    method: string,
    own: readonly HeaderInit[],
    options: InDialogOptions,
    user: ClientRequestUser,
  ): ClientRequest {
    const { core, dialog, hop, auth } = this
    const client = new ClientRequest(
      core,
      {
        method,
        nextHop: () => dialog.nextHop,
        isSecure: () => hop.isSecure,
        plan: (credentials) => dialog.nextRequest(method, [...credentials, ...own, ...(options.headers ?? [])]),
        destination: hop.direct() === undefined ? undefined : () => hop.direct(),
        mayLocate: true,
        extras: { contact: true, body: options.body, contentType: options.contentType },
        auth,
        timeoutMs: options.timeoutMs,
      },
      user,
    )
    client.start()
    return client
  }
}

/** All of them in one stack. */
export class EventDialogs {
  /** By {@link dialogKey}. */
  readonly dialogs = new Map<string, EventDialog>()
  /** Requests of ours for a subscription, by Call-ID and own tag. */
  private readonly waiters = new Map<string, NotifyWaiter>()
  /** Subscriptions and publications that are between two tries. */
  readonly resting = new Set<{ hangUp(): void; close(): void }>()
  /** Subscriptions alive in dialogs. */
  count = 0

  constructor(private readonly core: Core) {}

  /** Subscriptions alive, those that wait for their first NOTIFY among them. */
  get size(): number {
    let waiting = 0
    for (const waiter of this.waiters.values()) if (waiter.isUnbound) waiting += 1
    return this.count + waiting + this.resting.size
  }

  /** The dialog of a call, for a subscription in it. */
  within(session: DialogSession): EventDialog {
    const known = this.dialogs.get(session.dialog.key)
    return known ?? new EventDialog(this.core, session.dialog, session.hop, session.auth)
  }

  /** A dialog that a SUBSCRIBE, REFER or NOTIFY from outside has made, and came on. */
  made(dialog: Dialog, by: IncomingRequest, auth: DigestClient | undefined): EventDialog {
    const known = this.dialogs.get(dialog.key)
    if (known !== undefined) return known
    const made = new EventDialog(this.core, dialog, new PeerHop(this.core, dialog), auth)
    made.hop.heardRequest(by.message, by.flow)
    return made
  }

  /** Waits for the NOTIFYs of a request of ours. Returns what ends the wait. */
  expect(callId: string, localTag: string, waiter: NotifyWaiter): () => void {
    const key = waiterKey(callId, localTag)
    this.waiters.set(key, waiter)
    return () => {
      if (this.waiters.get(key) === waiter) this.waiters.delete(key)
    }
  }

  /**
   * A request with a To tag, if it is of a subscription or of a dialog that has nothing else. False when it is not.
   * @param dispatcher gets a SUBSCRIBE that makes another subscription in such a dialog
   */
  receive(incoming: IncomingRequest, session: DialogSession | undefined, dispatcher: Dispatcher): boolean {
    const { message, method } = incoming
    const toTag = message.to.tag ?? ''
    const dialog = this.dialogs.get(dialogKey(message.callId, toTag, message.from.tag ?? ''))
    if (method === 'NOTIFY' || method === 'SUBSCRIBE') {
      const usage = dialog?.usageFor(message)
      if (dialog !== undefined && usage !== undefined) {
        if (dialog.heard(incoming)) usage.receive(incoming)
        return true
      }
      // A NOTIFY may make a dialog of its own: of a fork, or of a request that has no answer yet.
      const waiter = method === 'NOTIFY' ? this.waiters.get(waiterKey(message.callId, toTag)) : undefined
      if (waiter?.firstNotify(incoming) === true) return true
    }
    if (dialog === undefined || session !== undefined) return false
    if (!dialog.heard(incoming)) return true
    if (method === 'SUBSCRIBE') dispatcher.dispatch(this.core, incoming)
    else if (method === 'OPTIONS') incoming.answer(200)
    else incoming.answer(481)
    return true
  }

  /** The stack begins to close: everybody is told. */
  hangUp(): void {
    for (const waiter of [...this.waiters.values(), ...this.resting]) waiter.hangUp()
    for (const dialog of [...this.dialogs.values()]) for (const usage of [...dialog.usages]) usage.hangUp()
  }

  /** The stack is closed. */
  close(): void {
    for (const waiter of [...this.waiters.values(), ...this.resting]) waiter.close()
    for (const dialog of [...this.dialogs.values()]) for (const usage of [...dialog.usages]) usage.close()
    this.waiters.clear()
    this.dialogs.clear()
  }
}

function waiterKey(callId: string, localTag: string): string {
  return `${callId}\n${localTag}`
}
