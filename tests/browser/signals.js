// For tests of recordings: a camera that shows one colour and a microphone that sounds one tone, so that both can be
// told apart in the film. The page asks for its devices as always; `window.signal` says which colour and tone.
;(() => {
  const { colour, hertz } = window.signal

  function camera() {
    const canvas = document.createElement('canvas')
    Object.assign(canvas, { width: 320, height: 180 })
    const context = canvas.getContext('2d')
    let frame = 0
    const draw = () => {
      context.fillStyle = colour
      context.fillRect(0, 0, 320, 180)
      context.fillStyle = '#ffffff'
      context.fillRect((frame++ * 8) % 320, 160, 10, 10)
    }
    draw()
    setInterval(draw, 200)
    return canvas.captureStream(5).getVideoTracks()[0]
  }

  function microphone() {
    const audio = new AudioContext()
    const tone = new OscillatorNode(audio, { frequency: hertz })
    const out = audio.createMediaStreamDestination()
    tone.connect(new GainNode(audio, { gain: 0.2 })).connect(out)
    tone.start()
    return out.stream.getAudioTracks()[0]
  }

  navigator.mediaDevices.getUserMedia = async ({ video, audio }) =>
    new MediaStream([...(video ? [camera()] : []), ...(audio ? [microphone()] : [])])
})()
