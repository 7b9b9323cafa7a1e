import { onScopeDispose, ref, watch, type Ref, type ShallowRef } from 'vue'

const BARS_PER_SECOND = 12
/** Quiet speech reaches about a third of the meter, a loud voice fills it. */
const GAIN = 4

/** How loud a track is, 0 to 1, as long as this component lives. */
export function useLevel(track: ShallowRef<MediaStreamTrack | null>): Ref<number> {
  const level = ref(0)
  let context: AudioContext | null = null
  let timer: ReturnType<typeof setInterval> | undefined

  function stop(): void {
    clearInterval(timer)
    void context?.close()
    context = null
    level.value = 0
  }

  function listen(next: MediaStreamTrack): void {
    context = new AudioContext()
    const wake = (): void => void context?.resume()
    if (context.state === 'suspended') addEventListener('pointerdown', wake, { once: true })
    const analyser = context.createAnalyser()
    analyser.fftSize = 1024
    context.createMediaStreamSource(new MediaStream([next])).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples)
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
      level.value = Math.min(1, Math.sqrt(power) * GAIN)
    }, 1000 / BARS_PER_SECOND)
  }

  watch(
    track,
    (next) => {
      stop()
      if (next) listen(next)
    },
    { immediate: true },
  )
  onScopeDispose(stop)
  return level
}
