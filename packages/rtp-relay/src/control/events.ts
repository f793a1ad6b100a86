/** What the relay tells its owner, and a small typed emitter for it. */

import type { TimeoutReason } from '../relay/branch-media'
import type { Side } from '../relay/leg'
import type { SessionSnapshot, StreamSnapshot } from './snapshot'

/**
 * Why a session was closed: by its owner, by its owner's AbortSignal, by the clock, with the relay, or because the worker
 * that carried it has crashed.
 */
export type CloseReason = 'closed' | 'aborted' | TimeoutReason | 'relay-closed' | 'worker-crashed'

/** Why a branch ended before its session: by its owner, because another one has won, or because nobody answered it. */
export type BranchCloseReason = 'closed' | 'lost' | 'offer'

/** Events by name. `viaBranch` is there where the branch has a name. */
export interface RelayEvents {
  /** The clock is about to end a session: nothing heard for too long, an offer never answered, or too long a life. */
  'session-timeout': { readonly sessionId: string; readonly reason: TimeoutReason }
  /** A peer's real endpoint is confirmed. Rank 0 is where its SDP said; others mean NAT or an odd peer. */
  'endpoint-learned': {
    readonly sessionId: string
    readonly viaBranch?: string
    readonly stream: number
    readonly side: Side
    readonly component: 'rtp' | 'rtcp'
    readonly address: string
    readonly port: number
    readonly rank: number
  }
  /** The system reports that a peer's port is closed (ICMP); told once until its endpoint changes. */
  'peer-unreachable': {
    readonly sessionId: string
    readonly viaBranch?: string
    readonly stream: number
    readonly side: Side
    readonly code: string
  }
  /**
   * One-way audio: a side of an answered stream that is not held has sent nothing for `oneWayTimeoutMs`, and the other
   * goes on. Told once until it is heard again. An early answer counts as one: the phone may still be ringing.
   */
  'media-silent': {
    readonly sessionId: string
    readonly viaBranch?: string
    readonly stream: number
    readonly side: Side
  }
  /** The side that was told to be silent is heard again. */
  'media-resumed': {
    readonly sessionId: string
    readonly viaBranch?: string
    readonly stream: number
    readonly side: Side
  }
  /**
   * One branch of several has ended and the session goes on; its ports are given back. `streams` is how its media stood.
   * Told exactly once for each branch, but not for those that end with their session.
   */
  'branch-closed': {
    readonly sessionId: string
    readonly viaBranch?: string
    readonly reason: BranchCloseReason
    readonly streams: readonly StreamSnapshot[]
  }
  /**
   * A worker has ended without being asked to; its sessions are closed and another is started in its place. `code` is
   * the error code that Node gives, `UNCAUGHT` for an error without one, `EXIT` for an exit, or `UNRESPONSIVE`; `detail`
   * the error's message; `sessions` how many it had.
   */
  'worker-crashed': {
    readonly worker: number
    readonly code: string
    readonly detail: string
    readonly sessions: number
  }
  /** A worker has taken the place of one that crashed. */
  'worker-restarted': { readonly worker: number }
  /**
   * A session is closed; its ports are given back. Told exactly once for each session. Where its worker has crashed the
   * snapshot is the last one known, which may be some time old.
   */
  'session-closed': { readonly sessionId: string; readonly reason: CloseReason; readonly snapshot: SessionSnapshot }
}

/** Takes one kind of event. */
export type RelayListener<K extends keyof RelayEvents> = (event: RelayEvents[K]) => void

/** Listeners by event name. A listener that throws stops neither the others nor the relay. */
export class RelayEmitter {
  private readonly listeners: { [K in keyof RelayEvents]: Set<RelayListener<K>> } = {
    'session-timeout': new Set(),
    'endpoint-learned': new Set(),
    'peer-unreachable': new Set(),
    'media-silent': new Set(),
    'media-resumed': new Set(),
    'branch-closed': new Set(),
    'worker-crashed': new Set(),
    'worker-restarted': new Set(),
    'session-closed': new Set(),
  }

  /** Adds a listener. */
  on<K extends keyof RelayEvents>(name: K, listener: RelayListener<K>): void {
    this.listeners[name].add(listener)
  }

  /** Removes a listener. */
  off<K extends keyof RelayEvents>(name: K, listener: RelayListener<K>): void {
    this.listeners[name].delete(listener)
  }

  /** Tells the listeners. */
  emit<K extends keyof RelayEvents>(name: K, event: RelayEvents[K]): void {
    for (const listener of this.listeners[name]) {
      try {
        listener(event)
      } catch (error) {
        // The fault is the listener's: it surfaces as an uncaught error of its own, after the relay's work is done.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
