package tracker

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
)

// KindPNG is the Object.Kind of images.
const KindPNG = "image/png"

// LogImage records an image under a key, as PNG of at most MaxObjectBytes. A larger one belongs into an artifact.
func (r *Run) LogImage(key string, step int64, img image.Image) error {
	if img == nil {
		return invalid("log image", "image of %q is nil", key)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return invalid("log image", "image of %q: %v", key, err)
	}
	return r.LogPNG(key, step, b.Bytes())
}

// LogPNG is LogImage for an image that is a PNG file already. Its header is checked.
func (r *Run) LogPNG(key string, step int64, data []byte) error {
	if _, err := png.DecodeConfig(bytes.NewReader(data)); err != nil {
		return &Error{Op: "log image", Err: ErrInvalid, Msg: fmt.Sprintf("data of %q is no PNG: %v", key, err),
			Hint: "LogImage takes any image.Image, LogArtifactBytes any file"}
	}
	return r.LogObject(Object{Key: key, Step: step, Kind: KindPNG, Data: data})
}

// Image decodes an object of kind image/png.
func (o Object) Image() (image.Image, error) {
	if o.Kind != KindPNG {
		return nil, invalid("read image", "object %q is of kind %q, want %q", o.Key, o.Kind, KindPNG)
	}
	img, err := png.Decode(bytes.NewReader(o.Data))
	if err != nil {
		return nil, invalid("read image", "object %q at step %d: %v", o.Key, o.Step, err)
	}
	return img, nil
}
