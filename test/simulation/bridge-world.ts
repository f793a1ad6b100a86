/**
 * Three phones that reach each other through a back-to-back user agent only, on a bad network, by seed: calls, transfers
 * of both kinds that the bridge carries out, passes on or refuses, INVITEs with Replaces, hold, and calls that the
 * agent makes itself (third party call control). On top of what holds for all calls: whatever happens, both legs of each
 * bridge end, its media anchor is released once, and its end is told once.
 */
import type { Bridge, Call, SdpAnchor, SipStack } from '@carillon/sip-transaction'
import { CallWorld } from './call-world.ts'

interface Record {
  /** It may have taken a place in another bridge instead of making one. */
  readonly isReplacing: boolean
  ends: number
  releases: number
  isOver: boolean
}

/** One run. */
export class BridgeWorld extends CallWorld {
  private readonly records: Record[] = []
  private hub: SipStack | undefined

  protected override hasHub(): boolean {
    return true
  }

  protected override async bridge(): Promise<SipStack> {
    const hub = await this.member('hub', 3)
    await this.phone('carol', 4)
    const transfers = this.random.pick(['execute', 'execute', 'execute', 'pass', 'refuse'] as const)
    hub.method('INVITE', async (request) => {
      const uri = request.uri.toString()
      const host = uri.includes('bob') ? 2 : uri.includes('carol') ? 4 : 1
      const target = `sip:user@10.0.0.${host};transport=${this.scheme}`
      const options = {
        ...this.options(request.message.has('Replaces')),
        transfers,
        ringTimeoutMs: this.random.pick([5_000, 60_000]),
      }
      await request.bridge([{ uri: target }], options).then(
        (bridge) => this.watchEnd(bridge, options.record),
        () => this.records.splice(this.records.indexOf(options.record), 1),
      )
    })
    this.hub = hub
    return hub
  }

  protected override operate(alice: SipStack, bob: SipStack, hub: SipStack | undefined): void {
    const dice = this.random.fraction()
    if (dice < 0.12) this.transferSome()
    else if (dice < 0.18) this.replaceSome(alice)
    else if (dice < 0.24) this.holdSome()
    else if (dice < 0.3) this.connectTwo()
    else super.operate(alice, bob, hub)
  }

  protected override take(call: Call): void {
    super.take(call)
    call.on('transfer', (transfer) => {
      if (this.random.chance(0.2)) {
        transfer.refuse()
        return
      }
      this.expects(transfer.follow({ sdp: description }).then((made) => this.take(made)))
    })
  }

  protected override check(): void {
    super.check()
    for (const { ends, releases, isOver, isReplacing } of this.records) {
      if (isReplacing && ends === 0 && releases === 0) continue
      if (ends !== 1) this.violate(`a bridge told its end ${ends} times`)
      if (releases !== 1) this.violate(`a media anchor was released ${releases} times`)
      if (!isOver) this.violate('the promise of a bridge never settled')
    }
  }

  /** A media anchor that takes its time or refuses, and an observer that counts. */
  private options(isReplacing = false) {
    const record: Record = { isReplacing, ends: 0, releases: 0, isOver: false }
    this.records.push(record)
    const isSlow = this.random.chance(0.3)
    const rewrite = async (given: Uint8Array): Promise<Uint8Array> => {
      if (isSlow) await new Promise<void>((resolve) => this.soon(resolve, 300))
      if (this.random.chance(0.01)) throw new Error('no ports')
      return given
    }
    const sdp: SdpAnchor = {
      offer: (_, given) => rewrite(given),
      answer: (_, given) => rewrite(given),
      release: () => {
        record.releases += 1
      },
    }
    return {
      record,
      sdp,
      onEvent: ({ kind }: { readonly kind: string }) => {
        if (kind === 'ended') record.ends += 1
      },
    }
  }

  private watchEnd(bridge: Bridge, record: Record): void {
    void bridge.ended.then(() => {
      record.isOver = true
    })
  }

  private live(): Call[] {
    return this.calls.filter(({ state }) => state === 'active')
  }

  private transferSome(): void {
    const live = this.live()
    if (live.length === 0) return
    const call = this.random.pick(live)
    const other = this.random.pick(live)
    const reports = this.random.chance(0.8)
    const isAttended = other !== call && this.random.chance(0.5)
    const user = this.random.pick(['alice', 'bob', 'carol'])
    const host = { alice: 1, bob: 2, carol: 4 }[user]
    const uri = `sip:${user}@10.0.0.${this.random.chance(0.2) ? 3 : host};transport=${this.scheme}`
    this.expects(isAttended ? call.transferTo(other, { reports }) : call.transfer(uri, { reports }))
    // Many phones hang up as soon as they have asked.
    if (this.random.chance(0.4)) this.soon(() => void call.bye(), 3_000)
  }

  private replaceSome(stack: SipStack): void {
    const live = this.live()
    if (live.length === 0) return
    const { callId, localTag, remoteTag } = this.random.pick(live)
    const replaces = `${callId};to-tag=${remoteTag};from-tag=${localTag}`
    this.expects(
      stack
        .invite(`sip:bob@10.0.0.3;transport=${this.scheme}`, { sdp: description, headers: [['Replaces', replaces]] })
        .then((call) => this.take(call)),
    )
  }

  private holdSome(): void {
    const live = this.live()
    if (live.length === 0) return
    const call = this.random.pick(live)
    this.expects(call.hold.local ? call.resumePeer() : call.holdPeer())
  }

  private connectTwo(): void {
    const { hub } = this
    if (hub === undefined) return
    const flow = this.random.pick(['I', 'IV'] as const)
    const uri = (host: number) => `sip:user@10.0.0.${host};transport=${this.scheme}`
    const options = { ...this.options(), flow, transfers: 'execute' as const, ringTimeoutMs: 20_000 }
    this.expects(
      hub.connect(uri(this.random.pick([1, 2])), uri(4), options).then(
        (bridge) => {
          this.watchEnd(bridge, options.record)
          this.soon(() => void bridge.hangup(), 20_000)
        },
        () => this.records.splice(this.records.indexOf(options.record), 1),
      ),
    )
  }
}

const description = 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
