/** A transaction layer with its time and effects in a test's hand; nothing is scheduled and nothing is sent. */
import { parseMessage, responseTo, type SipMessage, type SipRequest, type SipResponse } from '@carillon/sip-parser'
import type { Effect, TransactionId } from '../effects'
import type { Destination, Flow } from '../ports'
import { TransactionLayer, type TransactionLayerOptions } from '../transaction/layer'
import { sampleFlow } from './sample-messages'
import { SeededRandom } from './seeded-random'

/** An effect of one kind. */
export type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>

/** Drives a layer by hand. */
export class LayerHarness {
  readonly layer: TransactionLayer
  readonly flow: Flow
  nowMs = 0
  /** Effects since the last {@link take}. */
  readonly out: Effect[] = []

  constructor(options: Partial<TransactionLayerOptions> = {}, flow: Flow = sampleFlow()) {
    this.layer = new TransactionLayer({ random: new SeededRandom(1), ...options })
    this.flow = flow
  }

  receive(message: SipMessage, flow = this.flow): void {
    this.layer.receive(message, flow, this.nowMs, this.out)
  }

  send(request: SipRequest, destination: Destination = { kind: 'flow', flow: this.flow }): TransactionId {
    return this.layer.sendRequest(request, destination, this.nowMs, this.out)
  }

  respond(id: TransactionId, response: SipResponse): boolean {
    return this.layer.sendResponse(id, response, this.nowMs, this.out)
  }

  /** Receives a request and returns the id of the server transaction that it began. */
  begin(request: SipRequest, flow = this.flow): TransactionId {
    this.receive(request, flow)
    const [effect] = this.take('request')
    if (effect === undefined) throw new RangeError('The request did not reach the TU.')
    return effect.transactionId
  }

  /** Answers, as a peer, a request that the layer has sent. */
  answer(request: SipRequest, status: number, toTag = 'peer'): SipResponse {
    const response = responseTo(request, status, status === 100 ? {} : { toTag })
    this.receive(response)
    return response
  }

  /** Moves time on, firing each timer at its own moment. */
  advance(ms: number): void {
    const targetMs = this.nowMs + ms
    while (this.layer.deadline() <= targetMs) {
      this.nowMs = Math.max(this.nowMs, this.layer.deadline())
      this.layer.expire(this.nowMs, this.out)
    }
    this.nowMs = targetMs
  }

  /** Advances and tells at which times something was sent. */
  sendTimes(ms: number): number[] {
    const targetMs = this.nowMs + ms
    const times = this.take('send').map(() => this.nowMs)
    while (this.layer.deadline() <= targetMs) {
      this.nowMs = Math.max(this.nowMs, this.layer.deadline())
      const before = this.out.length
      this.layer.expire(this.nowMs, this.out)
      for (const effect of this.out.slice(before)) if (effect.kind === 'send') times.push(this.nowMs)
    }
    this.nowMs = targetMs
    this.take('send')
    return times
  }

  /** Takes the effects of one kind out. */
  take<Kind extends Effect['kind']>(kind: Kind): EffectOf<Kind>[] {
    const taken = this.out.filter((effect): effect is EffectOf<Kind> => effect.kind === kind)
    const left = this.out.filter((effect) => effect.kind !== kind)
    this.out.splice(0, this.out.length, ...left)
    return taken
  }

  /** Takes the messages out that were to be sent. */
  takeSent(): SipMessage[] {
    return this.take('send').map(({ bytes }) => {
      const parsed = parseMessage(bytes)
      if (!parsed.ok) throw new RangeError(`The layer sent what cannot be parsed: ${parsed.error.sentence}`)
      return parsed.message
    })
  }

  /** Takes the start lines of what was to be sent: the method of a request, the status of a response. */
  takeLines(): (string | number)[] {
    return this.takeSent().map((message) => (message.kind === 'request' ? message.method : message.status))
  }

  /** Takes all effects out and tells their kinds. */
  takeKinds(): string[] {
    return this.out.splice(0).map((effect) => effect.kind)
  }
}
