/** Turns of Node's event loop, and how long they keep work waiting: the ports `Turns` and `LoadProbe` of a real stack. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { LoadProbe, Turns } from '../../ports'
import { type CoalescingSettings, ReceiveCoalescing } from '../../protection/receive-coalescing'

/** How fine the runtime measures; a timer of its own fires so often and keeps no process alive. */
const resolutionMs = 20

/**
 * Turns that take about `turnMs` of work each.
 * @param coalescing when the thread rests after a turn; never when absent
 */
export function createNodeTurns(turnMs: number, coalescing?: CoalescingSettings): Turns {
  const rests = coalescing && new ReceiveCoalescing(coalescing, () => performance.eventLoopUtilization().active)
  const neverChanged = new Int32Array(new SharedArrayBuffer(4))
  let waiting: (() => void)[] = []
  let isOpen = false
  let endsMs = 0
  /** True while the share that is being used was begun by what came in, and not by what waited. */
  let isOfArrivals = false
  const open = () => {
    isOpen = true
    endsMs = performance.now() + turnMs
    setImmediate(turn)
  }
  const turn = () => {
    if (isOfArrivals && waiting.length > 0 && performance.now() >= endsMs) {
      // This pass of the loop has had its share: what waits has the next one, before anything that comes in.
      isOfArrivals = false
      setImmediate(turn)
      return
    }
    isOfArrivals = false
    isOpen = false
    if (waiting.length === 0) {
      if (rests !== undefined) rest(rests)
      return
    }
    // Opened first: what comes in later in the same pass of the loop shares the time with what waits.
    open()
    done = 0
    workOff()
  }
  /** Nothing is lost meanwhile: the system keeps what comes in. */
  const rest = (policy: ReceiveCoalescing) => {
    const nowMs = performance.now()
    const restMs = policy.passed(nowMs, nowMs - endsMs + turnMs)
    if (restMs === 0) return
    Atomics.wait(neverChanged, 0, 0, restMs)
    policy.rested(performance.now() - nowMs)
  }
  let done = 0
  /** One piece after the other, with the promises that each has settled between them, as between two datagrams. */
  const workOff = () => {
    if (done === waiting.length || (done > 0 && performance.now() >= endsMs)) {
      waiting = done === waiting.length ? [] : waiting.slice(done)
      return
    }
    const work = waiting[done]!
    done += 1
    try {
      work()
    } finally {
      queueMicrotask(workOff)
    }
  }
  const openForArrivals = () => {
    isOfArrivals = true
    open()
  }
  return {
    hasTime() {
      rests?.arrived()
      if (!isOpen) openForArrivals()
      return performance.now() < endsMs
    },
    later(work) {
      if (!isOpen) openForArrivals()
      waiting.push(work)
    },
  }
}

/** Measures the delay of the event loop by `monitorEventLoopDelay`. */
export function createNodeLoadProbe(): LoadProbe {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  return {
    delayMs() {
      const { mean } = histogram
      histogram.reset()
      // Without a sample yet the mean is no number.
      return Number.isFinite(mean) ? Math.max(0, mean / 1e6 - resolutionMs) : 0
    },
    close: () => histogram.disable(),
  }
}
