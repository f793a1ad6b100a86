/**
 * A worker's side of the conversation: takes requests, has its engine do them, and sends back answers, events and
 * reports. Knows nothing of threads: it is given a way to post.
 */
import type { RelayEngine } from '../control/engine'
import type { RelaySession as EngineSession } from '../control/relay-session'
import { RelayError } from '../errors'
import { workerSnapshotsPerReport } from '../limits'
import type { Clock } from '../ports'
import { messageOf } from './error-message'
import type { EngineEvent, FromWorker, SessionReplies, SessionRequest, ToWorker } from './protocol'
import { TapQueue, tapLegs } from './tap'

/** What the host needs of its thread. */
export interface HostThread {
  readonly clock: Clock
  heapBytes(): number
  /** The owner is in this thread: tapped packets go to it at once, and none have to wait. */
  readonly isOwners: boolean
  /** Sends a message; the buffers listed are given away with it. */
  post(message: FromWorker, transfer?: readonly ArrayBuffer[]): void
}

interface HostedSession {
  readonly key: number
  readonly session: EngineSession
  tap: TapQueue | undefined
}

/** Serves one engine. */
export class EngineHost {
  private readonly byKey = new Map<number, HostedSession>()
  private readonly byId = new Map<string, HostedSession>()
  private readonly tapped = new Set<HostedSession>()
  /** Where the snapshots of the last report ended. */
  private rotation: Iterator<HostedSession> | undefined

  constructor(
    private readonly engine: RelayEngine,
    private readonly thread: HostThread,
  ) {
    const forward = (event: EngineEvent): void => this.forward(event)
    engine.on('session-timeout', (event) => forward({ name: 'session-timeout', event }))
    engine.on('endpoint-learned', (event) => forward({ name: 'endpoint-learned', event }))
    engine.on('peer-unreachable', (event) => forward({ name: 'peer-unreachable', event }))
    engine.on('media-silent', (event) => forward({ name: 'media-silent', event }))
    engine.on('media-resumed', (event) => forward({ name: 'media-resumed', event }))
    engine.on('branch-closed', (event) => forward({ name: 'branch-closed', event }))
    engine.on('session-closed', (event) => forward({ name: 'session-closed', event }))
  }

  /** Takes one message. */
  handle(message: ToWorker): void {
    switch (message.kind) {
      case 'open':
        this.open(message.key, message.id)
        break
      case 'request':
        void this.answer(message.request, message.key, message.body)
        break
      case 'end':
        void this.byKey.get(message.key)?.session.end(message.reason)
        break
      case 'stats':
        this.thread.post({ kind: 'reply', request: message.request, value: this.engine.stats() })
        break
      case 'tap':
        this.setTap(message.key, message.isOn)
        break
      case 'tapped':
        this.byKey.get(message.key)?.tap?.arrived(message.count)
        break
      case 'close':
        void this.engine.close().then(() => this.thread.post({ kind: 'closed' }))
        break
    }
  }

  /** Tells how the engine stands, with the snapshots of some sessions: the next ones each time. */
  report(): void {
    const snapshots = []
    const count = Math.min(workerSnapshotsPerReport, this.byKey.size)
    for (let at = 0; at < count; at++) {
      const hosted = this.nextInTurn()
      if (hosted !== undefined) snapshots.push({ key: hosted.key, snapshot: hosted.session.snapshot(true) })
    }
    this.thread.post({ kind: 'report', stats: this.engine.stats(), heapBytes: this.thread.heapBytes(), snapshots })
  }

  /** Hands over what the taps have caught. */
  flushTaps(): void {
    for (const { key, tap } of this.tapped) {
      if (tap === undefined) continue
      const packets = tap.take()
      if (packets.length > 0) this.thread.post({ kind: 'tap', key, packets, dropped: tap.dropped })
    }
  }

  private nextInTurn(): HostedSession | undefined {
    const next = this.rotation?.next()
    if (next !== undefined && next.done !== true) return next.value
    this.rotation = this.byKey.values()
    return this.rotation.next().value
  }

  private open(key: number, id: string): void {
    try {
      const hosted: HostedSession = { key, session: this.engine.createSession(id), tap: undefined }
      this.byKey.set(key, hosted)
      this.byId.set(id, hosted)
    } catch {
      // The owner counts sessions as the engine does, so only a closing relay refuses.
      const snapshot = { id, state: 'closed', ageMs: 0, streams: [] } as const
      const event = { sessionId: id, reason: 'relay-closed', snapshot } as const
      this.thread.post({ kind: 'event', key, event: { name: 'session-closed', event } })
    }
  }

  private async answer(request: number, key: number, body: SessionRequest): Promise<void> {
    try {
      const hosted = this.byKey.get(key)
      if (hosted === undefined) throw new RelayError('SESSION_CLOSED')
      const value = await perform(hosted.session, body)
      if (body.operation === 'offer' && hosted.tap !== undefined) this.tapAgain(hosted, hosted.tap)
      if (value instanceof Uint8Array) {
        // A small Buffer is a view of a pool that others use too; what crosses is its own memory.
        const own = Uint8Array.from(value)
        this.thread.post({ kind: 'reply', request, value: own }, [own.buffer])
      } else {
        this.thread.post({ kind: 'reply', request, value })
      }
    } catch (error) {
      const isOwn = this.thread.isOwners && error instanceof Error
      this.thread.post({ kind: 'failure', request, error: isOwn ? error : messageOf(error) })
    }
  }

  private setTap(key: number, isOn: boolean): void {
    const hosted = this.byKey.get(key)
    if (hosted === undefined || isOn === (hosted.tap !== undefined)) return
    if (!isOn) {
      hosted.tap = undefined
      this.tapped.delete(hosted)
      tapLegs(hosted.session, this.now, undefined)
    } else {
      hosted.tap = new TapQueue()
      this.tapped.add(hosted)
      this.tapAgain(hosted, hosted.tap)
    }
  }

  private tapAgain(hosted: HostedSession, queue: TapQueue): void {
    const { key } = hosted
    tapLegs(hosted.session, this.now, (packet) => {
      if (this.thread.isOwners) this.thread.post({ kind: 'tap', key, packets: [packet], dropped: 0 })
      else queue.push(packet)
    })
  }

  private readonly now = (): number => this.thread.clock.monotonicMs()

  private forward(event: EngineEvent): void {
    const { sessionId } = event.event
    const hosted = this.byId.get(sessionId)
    if (hosted === undefined) return
    if (event.name === 'session-closed') {
      this.flushTaps()
      this.byId.delete(sessionId)
      this.byKey.delete(hosted.key)
      this.tapped.delete(hosted)
    }
    this.thread.post({ kind: 'event', key: hosted.key, event })
  }
}

type Reply = SessionReplies[keyof SessionReplies]

function perform(session: EngineSession, body: SessionRequest): Reply | Promise<Reply> {
  switch (body.operation) {
    case 'offer':
      return session.offer(body.sdp, body.options)
    case 'answer':
      return session.answer(body.sdp, body.options)
    case 'choose-branch':
      return session.chooseBranch(body.viaBranch).then(() => undefined)
    case 'close-branch':
      return session.closeBranch(body.viaBranch)
    case 'snapshot':
      return session.snapshot()
  }
}
