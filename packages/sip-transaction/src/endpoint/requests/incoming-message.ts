/** What a request that came in says of itself, and where it came from. */
import type { HeaderInit, NameAddr, SipRequest, Uri } from '@carillon/sip-parser'
import type { Flow, FlowAddress } from '../../ports'
import { type ReadSessionDescription, sessionDescriptionOf } from '../calls/session-description'

const decoder = new TextDecoder()

/** Where a request came from. */
export interface RequestSource extends FlowAddress {
  /** Names the flow, as destination of later requests to the same peer. */
  readonly flowId: number
  readonly isReliable: boolean
  readonly isSecure: boolean
  /** SIP domains that the peer of a TLS connection has proved to be (RFC 5922 §7.1), lower-case; often none. */
  readonly peerIdentities: readonly string[]
}

/** A request as it came. */
export abstract class IncomingMessage {
  readonly message: SipRequest
  /** @internal */
  readonly flow: Flow
  /** @internal What handlers that ran before put into a 2xx besides; given the body of that answer. */
  successHeaders: ((body: Uint8Array | string | undefined) => readonly HeaderInit[]) | undefined

  /** @internal */
  constructor(message: SipRequest, flow: Flow) {
    this.message = message
    this.flow = flow
  }

  get method(): string {
    return this.message.method
  }

  get uri(): Uri {
    return this.message.uri
  }

  get from(): NameAddr {
    return this.message.from
  }

  get to(): NameAddr {
    return this.message.to
  }

  get callId(): string {
    return this.message.callId
  }

  get cseq(): { readonly seq: number; readonly method: string } {
    return this.message.cseq
  }

  /** The body; not to be changed. */
  get body(): Uint8Array {
    return this.message.body
  }

  /** The body as text, read as UTF-8; empty when there is none. */
  get text(): string {
    return decoder.decode(this.message.body)
  }

  /**
   * The session description in the body, alone or as a part of it: undefined when there is none, else read, or the problem
   * with the `suggestedStatus` to answer with. It is read at each access.
   */
  get sdp(): ReadSessionDescription | undefined {
    return sessionDescriptionOf(this.message)
  }

  /** Where it came from. */
  get source(): RequestSource {
    return sourceOf(this.flow)
  }
}

/** Where what came on a flow came from. */
export function sourceOf({ remote, id, isReliable, isSecure, peerIdentities = [] }: Flow): RequestSource {
  return { ...remote, flowId: id, isReliable, isSecure, peerIdentities }
}
