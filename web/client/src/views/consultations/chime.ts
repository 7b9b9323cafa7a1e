/** Two soft tones, made here so that no sound file is loaded. Silent where the browser allows no sound yet. */
export function chime(): void {
  const context = new AudioContext()
  const notes = [660, 880]
  notes.forEach((frequency, index) => {
    const start = context.currentTime + index * 0.35
    const tone = new OscillatorNode(context, { frequency })
    const loudness = new GainNode(context, { gain: 0 })
    loudness.gain.setValueAtTime(0, start)
    loudness.gain.linearRampToValueAtTime(0.3, start + 0.03)
    loudness.gain.exponentialRampToValueAtTime(0.001, start + 0.6)
    tone.connect(loudness).connect(context.destination)
    tone.start(start)
    tone.stop(start + 0.65)
    if (index === notes.length - 1) tone.onended = () => void context.close()
  })
}
