/**
 * Reliable provisional responses: RFC 3262 §3 (the answering side repeats each one until its PRACK comes, one at a time,
 * and holds a 2xx back while a description is unacknowledged) and §4 (the asking side acknowledges them in order, once).
 * Pure: the caller brings the time and the first RSeq, and sends what it is told to.
 */
import { ignore, impossible, type MachineDefinition, step } from '../fsm/definition'

/** Where the reliable responses of one INVITE stand at the answering side. */
export type ReliableServerState =
  | 'idle'
  | 'waiting'
  | 'waiting-described'
  | 'draining'
  | 'holding'
  | 'answered'
  | 'terminated'

/** What can happen to them. */
export type ReliableServerInput =
  | 'send-plain'
  | 'send-described'
  | 'send-last'
  | 'prack'
  | 'stray-prack'
  | 'success'
  | 'success-later'
  | 'failure'
  | 'repeat-due'
  | 'give-up-due'
  | 'close'

/** What their owner does. */
export type ReliableServerAction =
  | 'transmit'
  | 'queue'
  | 'accept-prack'
  | 'refuse-prack'
  | 'send-final'
  | 'hold-final'
  | 'repeat'
  | 'give-up'
  | 'stop'

/** The table of the answering side. */
export const reliableServerDefinition: MachineDefinition<
  ReliableServerState,
  ReliableServerInput,
  ReliableServerAction
> = {
  name: 'reliable-sending',
  title: 'Reliable provisional responses, answering side',
  source:
    'RFC 3262 §3 and §5. One response at a time is under way, so the strictest reading of §3 holds for all of them.',
  states: {
    idle: 'Nothing waits for a PRACK',
    waiting: 'A response without a session description waits for its PRACK',
    'waiting-described': 'A response with a session description waits for its PRACK',
    draining: 'A 2xx waits for responses with a session description whose turn has not come',
    holding: 'A response with a session description waits for its PRACK, and a 2xx waits with it',
    answered: 'The final response has gone; a PRACK may still come',
    terminated: 'Forgotten',
  },
  inputs: {
    'send-plain': 'The user answers 101–199 without a session description',
    'send-described': 'The user answers 101–199 with a session description',
    'send-last': 'The last response with a session description that a 2xx waits for gets its turn',
    prack: 'A PRACK for the response that waits',
    'stray-prack': 'Any other PRACK',
    success: 'The user answers 2xx',
    'success-later': 'The user answers 2xx while a response with a session description is in the queue',
    failure: 'The user answers 300–699, or the INVITE was cancelled',
    'repeat-due': 'The retransmission interval is over',
    'give-up-due': 'No PRACK for 64*T1',
    close: 'The dialog is over',
  },
  actions: {
    transmit: 'Number the response, send it, and repeat it from T1 on, the interval doubled each time',
    queue: 'Keep the response until its turn comes',
    'accept-prack': 'Answer the PRACK 2xx and stop repeating; the next response of the queue is sent',
    'refuse-prack': 'Answer the PRACK 481',
    'send-final': 'Send the final response; what is queued is dropped',
    'hold-final': 'Keep the 2xx until every description has been acknowledged',
    repeat: 'Send the response once more',
    'give-up': 'Answer the INVITE 504; a 2xx that waits is dropped',
    stop: 'Forget everything',
  },
  start: step('idle'),
  final: 'terminated',
  table: {
    idle: {
      'send-plain': step('waiting', 'transmit'),
      'send-described': step('waiting-described', 'transmit'),
      'send-last': impossible,
      prack: impossible,
      'stray-prack': step('idle', 'refuse-prack'),
      success: step('answered', 'send-final'),
      'success-later': impossible,
      failure: step('answered', 'send-final'),
      'repeat-due': impossible,
      'give-up-due': impossible,
      close: step('terminated', 'stop'),
    },
    waiting: {
      'send-plain': step('waiting', 'queue'),
      'send-described': step('waiting', 'queue'),
      'send-last': impossible,
      prack: step('idle', 'accept-prack'),
      'stray-prack': step('waiting', 'refuse-prack'),
      success: step('answered', 'send-final'),
      'success-later': step('draining', 'hold-final'),
      failure: step('answered', 'send-final'),
      'repeat-due': step('waiting', 'repeat'),
      'give-up-due': step('answered', 'give-up'),
      close: step('terminated', 'stop'),
    },
    'waiting-described': {
      'send-plain': step('waiting-described', 'queue'),
      'send-described': step('waiting-described', 'queue'),
      'send-last': impossible,
      prack: step('idle', 'accept-prack'),
      'stray-prack': step('waiting-described', 'refuse-prack'),
      success: step('holding', 'hold-final'),
      'success-later': step('draining', 'hold-final'),
      failure: step('answered', 'send-final'),
      'repeat-due': step('waiting-described', 'repeat'),
      'give-up-due': step('answered', 'give-up'),
      close: step('terminated', 'stop'),
    },
    draining: {
      'send-plain': ignore,
      'send-described': step('draining', 'transmit'),
      'send-last': step('holding', 'transmit'),
      prack: step('draining', 'accept-prack'),
      'stray-prack': step('draining', 'refuse-prack'),
      success: ignore,
      'success-later': ignore,
      failure: step('answered', 'send-final'),
      'repeat-due': step('draining', 'repeat'),
      'give-up-due': step('answered', 'give-up'),
      close: step('terminated', 'stop'),
    },
    holding: {
      'send-plain': ignore,
      'send-described': ignore,
      'send-last': impossible,
      prack: step('answered', 'accept-prack', 'send-final'),
      'stray-prack': step('holding', 'refuse-prack'),
      success: ignore,
      'success-later': ignore,
      failure: step('answered', 'send-final'),
      'repeat-due': step('holding', 'repeat'),
      'give-up-due': step('answered', 'give-up'),
      close: step('terminated', 'stop'),
    },
    answered: {
      'send-plain': ignore,
      'send-described': ignore,
      'send-last': impossible,
      prack: step('answered', 'accept-prack'),
      'stray-prack': step('answered', 'refuse-prack'),
      success: ignore,
      'success-later': ignore,
      failure: ignore,
      'repeat-due': impossible,
      'give-up-due': impossible,
      close: step('terminated', 'stop'),
    },
  },
}

/** What the answering side asks of its owner. */
export type ReliableServerEffect<Payload> =
  | { readonly kind: 'transmit'; readonly rseq: number; readonly payload: Payload }
  | { readonly kind: 'repeat' | 'accept-prack' | 'refuse-prack' | 'send-final' | 'give-up' | 'overflow' }

/** How many responses of one INVITE may wait for their turn; over it a new one is not sent. */
export const reliableQueueMax = 16

interface Queued<Payload> {
  readonly payload: Payload
  readonly isDescribed: boolean
}

/** The reliable responses of one INVITE at the answering side. `Payload` is whatever its owner makes a response of. */
export class ReliableServer<Payload> {
  private current: ReliableServerState = 'idle'
  private readonly queue: Queued<Payload>[] = []
  /** RSeq of the response that waits; 0 for none. */
  private awaited = 0
  private intervalMs = 0
  private repeatAtMs = Number.POSITIVE_INFINITY
  private giveUpAtMs = Number.POSITIVE_INFINITY

  /** @param nextRseq the first RSeq, from 1 to 2**31 - 1, chosen at random (§3) */
  constructor(
    private nextRseq: number,
    private readonly t1Ms: number,
  ) {}

  get state(): ReliableServerState {
    return this.current
  }

  /** Whether a PRACK may still come that would be taken. */
  get isAwaiting(): boolean {
    return this.awaited !== 0 || this.queue.length > 0
  }

  /** The user answers 101–199. */
  send(payload: Payload, isDescribed: boolean, nowMs: number, out: ReliableServerEffect<Payload>[]): void {
    const action = this.step(isDescribed ? 'send-described' : 'send-plain')[0]
    if (action === 'transmit') this.transmit(payload, nowMs, out)
    else if (action === 'queue') {
      if (this.queue.length < reliableQueueMax) this.queue.push({ payload, isDescribed })
      else out.push({ kind: 'overflow' })
    }
  }

  /** A PRACK came whose RAck has that RSeq, and CSeq and method of this INVITE; undefined where it has not. */
  prack(rseq: number | undefined, nowMs: number, out: ReliableServerEffect<Payload>[]): void {
    const isAwaited = rseq !== undefined && rseq === this.awaited
    const actions = this.step(isAwaited ? 'prack' : 'stray-prack')
    if (isAwaited) this.quieten(0)
    for (const action of actions) {
      if (action === 'accept-prack' || action === 'refuse-prack' || action === 'send-final') out.push({ kind: action })
    }
    if (isAwaited) this.sendNext(nowMs, out)
  }

  /** The user answers with a final response: it is sent when 'send-final' says so. */
  final(isSuccess: boolean, out: ReliableServerEffect<Payload>[]): void {
    const isLater = isSuccess && this.queue.some(({ isDescribed }) => isDescribed)
    const action = this.step(isLater ? 'success-later' : isSuccess ? 'success' : 'failure')[0]
    if (action !== 'send-final') return
    this.quieten(this.awaited)
    this.queue.length = 0
    out.push({ kind: 'send-final' })
  }

  /** Nobody needs it any more. */
  close(): void {
    this.step('close')
    this.queue.length = 0
    this.quieten(0)
  }

  /** When {@link expire} is next due. */
  deadline(): number {
    return Math.min(this.repeatAtMs, this.giveUpAtMs)
  }

  /** Repeats the response that waits, or gives it up. */
  expire(nowMs: number, out: ReliableServerEffect<Payload>[]): void {
    if (nowMs >= this.giveUpAtMs) {
      this.step('give-up-due')
      this.quieten(this.awaited)
      this.queue.length = 0
      out.push({ kind: 'give-up' })
    } else if (nowMs >= this.repeatAtMs) {
      this.step('repeat-due')
      this.intervalMs *= 2
      this.repeatAtMs = nowMs + this.intervalMs
      out.push({ kind: 'repeat' })
    }
  }

  private sendNext(nowMs: number, out: ReliableServerEffect<Payload>[]): void {
    if (this.current === 'idle') {
      const next = this.queue.shift()
      if (next !== undefined) this.send(next.payload, next.isDescribed, nowMs, out)
    } else if (this.current === 'draining') {
      // With a 2xx on its way only the descriptions matter.
      const described = this.queue.splice(0).filter(({ isDescribed }) => isDescribed)
      const next = described.shift()
      this.queue.push(...described)
      if (next === undefined) return
      if (this.step(described.length === 0 ? 'send-last' : 'send-described')[0] === 'transmit')
        this.transmit(next.payload, nowMs, out)
    }
  }

  private transmit(payload: Payload, nowMs: number, out: ReliableServerEffect<Payload>[]): void {
    const rseq = this.nextRseq
    this.nextRseq += 1
    this.awaited = rseq
    this.intervalMs = this.t1Ms
    this.repeatAtMs = nowMs + this.t1Ms
    this.giveUpAtMs = nowMs + 64 * this.t1Ms
    out.push({ kind: 'transmit', rseq, payload })
  }

  /** Stops repeating. A PRACK for `awaited` is still taken. */
  private quieten(awaited: number): void {
    this.awaited = awaited
    this.repeatAtMs = Number.POSITIVE_INFINITY
    this.giveUpAtMs = Number.POSITIVE_INFINITY
  }

  private step(input: ReliableServerInput): readonly ReliableServerAction[] {
    if (this.current === 'terminated') return []
    const decision = reliableServerDefinition.table[this.current][input]
    if (typeof decision === 'string') return []
    this.current = decision.next
    return decision.run
  }
}

/** Where the reliable responses of one dialog stand at the asking side. */
export type ReliableClientState = 'fresh' | 'counting' | 'over' | 'terminated'

/** What can happen to them. */
export type ReliableClientInput = 'in-order' | 'repeated' | 'gap' | 'final' | 'close'

/** What their owner does. */
export type ReliableClientAction = 'acknowledge' | 'discard'

/** The table of the asking side. */
export const reliableClientDefinition: MachineDefinition<
  ReliableClientState,
  ReliableClientInput,
  ReliableClientAction
> = {
  name: 'reliable-receiving',
  title: 'Reliable provisional responses, asking side',
  source: 'RFC 3262 §4. Each dialog that an INVITE makes by forking counts for itself.',
  states: {
    fresh: 'No reliable response has come; the first one may have any RSeq',
    counting: 'One has come; the next has an RSeq that is higher by one',
    over: 'The INVITE has its final response',
    terminated: 'Forgotten',
  },
  inputs: {
    'in-order': 'A reliable response that is the first, or the next one',
    repeated: 'A reliable response that has come before',
    gap: 'A reliable response that is not the next one',
    final: 'A final response',
    close: 'The dialog is over',
  },
  actions: {
    acknowledge: 'Send PRACK, and tell the user of the response',
    discard: 'Neither acknowledge it nor tell anyone: the PRACK is repeated by its own transaction',
  },
  start: step('fresh'),
  final: 'terminated',
  table: {
    fresh: {
      'in-order': step('counting', 'acknowledge'),
      repeated: impossible,
      gap: impossible,
      final: step('over'),
      close: step('terminated'),
    },
    counting: {
      'in-order': step('counting', 'acknowledge'),
      repeated: step('counting', 'discard'),
      gap: step('counting', 'discard'),
      final: step('over'),
      close: step('terminated'),
    },
    over: {
      'in-order': step('over', 'discard'),
      repeated: step('over', 'discard'),
      gap: step('over', 'discard'),
      final: ignore,
      close: step('terminated'),
    },
  },
}

/** The reliable responses that the asking side has seen in one dialog, for one INVITE. */
export class ReliableClient {
  private current: ReliableClientState = 'fresh'
  private last = 0

  get state(): ReliableClientState {
    return this.current
  }

  /** A reliable response with that RSeq came. */
  heard(rseq: number): ReliableClientAction {
    const isNext = this.current === 'fresh' || rseq === this.last + 1
    const action = this.handle(isNext ? 'in-order' : rseq <= this.last ? 'repeated' : 'gap')
    if (action === 'acknowledge') this.last = rseq
    return action
  }

  /** The INVITE has its final response, or the dialog is over. */
  handle(input: ReliableClientInput): ReliableClientAction {
    if (this.current === 'terminated') return 'discard'
    const decision = reliableClientDefinition.table[this.current][input]
    if (typeof decision === 'string') return 'discard'
    this.current = decision.next
    return decision.run[0] ?? 'discard'
  }
}
