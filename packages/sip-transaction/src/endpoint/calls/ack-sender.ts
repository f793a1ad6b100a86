/**
 * The ACKs that one dialog owes for 2xx to our INVITEs, and sends again for each repetition: RFC 3261 §13.2.2.4. No
 * transaction owns them. Every method runs inside an input.
 */
import type { HeaderInit } from '@carillon/sip-parser'
import { ClientAcks } from '../../dialog/ack-2xx'
import type { Dialog } from '../../dialog/dialog'
import type { Destination } from '../../ports'
import type { Core } from '../core'
import type { PeerHop } from '../wire/peer-hop'

/** An ACK as it is kept: as text, for a small buffer is cut from a large one, which it would keep alive. */
export interface KeptAck {
  readonly text: string
  readonly destination: Destination
  /** Called when it could not be sent. */
  readonly failed: () => void
}

const nothing = (): void => {}

/** Writes the ACK for one destination: its Via says by which of our listeners it goes. */
type WriteAck = (destination: Destination) => Uint8Array | undefined

/** Sends and repeats ACKs. */
export class AckSender {
  private acks: ClientAcks<KeptAck> | undefined

  constructor(
    private readonly core: Core,
    private readonly dialog: Dialog,
    private readonly hop: PeerHop,
  ) {}

  /** True when the ACK for that INVITE has gone out. */
  hasSent(cseq: number): boolean {
    return this.acks?.forRetransmission(cseq) !== undefined
  }

  /** Sends the ACK; `credentials` are those of its INVITE, `sdp` the answer to an offer in the 2xx. */
  send(cseq: number, credentials: readonly HeaderInit[], sdp: Uint8Array | string | undefined): void {
    const extras =
      sdp === undefined ? { contact: false } : { contact: false, body: sdp, contentType: 'application/sdp' }
    const write: WriteAck = (destination) => {
      const entry = this.core.egress.entryTo(destination)
      if (entry === undefined) return undefined
      const remote = destination.kind === 'flow' ? destination.flow.remote.address : destination.address.address
      return this.core.egress.build(this.dialog.ackFor(cseq, credentials), entry, remote, extras).toBytes()
    }
    this.hop.locate((destination, others) => this.sendTo(destination, others, cseq, write))
  }

  /** Sends the same ACK again; false when none has been sent. */
  repeat(cseq: number): boolean {
    const ack = this.acks?.forRetransmission(cseq)
    if (ack === undefined) return false
    sendAck(this.core, ack)
    return true
  }

  /** The ACK for that INVITE, for whoever repeats it once the dialog is over; nothing of the dialog is kept alive by it. */
  kept(cseq: number): KeptAck | undefined {
    const ack = this.acks?.forRetransmission(cseq)
    return ack === undefined ? undefined : { ...ack, failed: nothing }
  }

  /** The INVITE's transaction is gone: its 2xx can come no more. */
  forget(cseq: number): void {
    this.acks?.forget(cseq)
    if (this.acks?.isEmpty === true) this.acks = undefined
  }

  private sendTo(destination: Destination, others: readonly Destination[], cseq: number, write: WriteAck): void {
    const bytes = write(destination)
    if (bytes === undefined) return
    const ack: KeptAck = {
      text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'),
      destination,
      failed: () => {
        // Another way may have been found, or the 2xx can come no more.
        if (this.acks?.forRetransmission(cseq) === ack) this.sendElsewhere(destination, others, cseq, write)
      },
    }
    this.acks ??= new ClientAcks()
    this.acks.sent(cseq, ack)
    this.core.driver.out.push({ kind: 'send', bytes, destination, transactionId: undefined, failed: ack.failed })
  }

  /** RFC 3263 §4.3: without a transaction there is no timeout to go by, but a way that fails is left for the next one. */
  private sendElsewhere(failed: Destination, others: readonly Destination[], cseq: number, write: WriteAck): void {
    const { locator, driver } = this.core
    if (failed.kind === 'flow') {
      this.hop.locate((destination, rest) => this.sendTo(destination, rest, cseq, write), false)
      return
    }
    locator.blocklist.block(failed.address, driver.nowMs)
    const [next, ...rest] = others
    if (next !== undefined) this.sendTo(next, rest, cseq, write)
  }
}

/** Sends a kept ACK once more. */
export function sendAck(core: Core, { text, destination, failed }: KeptAck): void {
  core.driver.out.push({
    kind: 'send',
    bytes: Buffer.from(text, 'latin1'),
    destination,
    transactionId: undefined,
    failed,
  })
}
