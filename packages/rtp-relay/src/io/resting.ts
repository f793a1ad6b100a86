/**
 * Resting under load: a thread that carries many streams takes the packets of a millisecond at once, instead of
 * waking up for every single one. Falling asleep and waking up costs more than forwarding does. Nothing is lost in
 * between: the sockets keep what arrives.
 */
import { performance } from 'node:perf_hooks'
import { restFromPerSecond, restMs } from '../limits'

/** How often the traffic is looked at. */
const lookEveryMs = 10
/** Where other work of the thread takes more than this part of its time, nothing is held up for the relay's sake. */
const othersShareMax = 0.25

/** Watches the packets of one thread, and rests after each pass of its event loop while there are many. */
export class Resting {
  private arrivals = 0
  private isPassOpen = false
  private isWorth = false
  private lookedAtMs = 0
  private passBeganMs = 0
  private ownMs = 0
  private lastActiveMs = 0
  private readonly neverChanged = new Int32Array(new SharedArrayBuffer(4))
  private readonly pass = (): void => this.passed()

  /** A packet has come. */
  arrived(): void {
    this.arrivals++
    if (this.isPassOpen) return
    this.isPassOpen = true
    this.passBeganMs = performance.now()
    // Runs when everything that this pass of the loop found has been read.
    setImmediate(this.pass)
  }

  private passed(): void {
    this.isPassOpen = false
    let nowMs = performance.now()
    if (nowMs - this.lookedAtMs >= lookEveryMs) this.look(nowMs)
    if (this.isWorth) {
      Atomics.wait(this.neverChanged, 0, 0, restMs)
      nowMs = performance.now()
    }
    this.ownMs += nowMs - this.passBeganMs
  }

  private look(nowMs: number): void {
    const elapsedMs = nowMs - this.lookedAtMs
    const activeMs = performance.eventLoopUtilization().active
    const othersMs = activeMs - this.lastActiveMs - this.ownMs
    this.isWorth = this.arrivals * 1000 >= restFromPerSecond * elapsedMs && othersMs <= othersShareMax * elapsedMs
    this.lookedAtMs = nowMs
    this.lastActiveMs = activeMs
    this.ownMs = 0
    this.arrivals = 0
  }
}
