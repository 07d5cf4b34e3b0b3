# gophersnake and its notebooks: the program, the kernel, JupyterLab; no Go toolchain.
#
#   docker build -t gophersnake .
#   docker run --rm -p 127.0.0.1:8888:8888 -v gophersnake:/work gophersnake
#   docker run --rm -v gophersnake:/work gophersnake gophersnake ladder
#
# Podman: `podman build --format docker`, without which it drops HEALTHCHECK.
ARG GO_IMAGE=docker.io/library/golang:1.26-trixie
ARG BASE_IMAGE=docker.io/library/debian:trixie-slim

# The binaries. The context has .git, so that `go build` stamps version and commit.
FROM ${GO_IMAGE} AS go
WORKDIR /src
ENV GOCACHE=/cache/build GOMODCACHE=/cache/mod GOFLAGS="-trimpath -ldflags=-s"
COPY . .
RUN --mount=type=cache,target=/cache make build kernel
# The task go-source reads the Go tree that it finds at GOROOT: .go files without commands and testdata.
RUN mkdir -p /goroot/src && cd "$(go env GOROOT)" && cp LICENSE VERSION /goroot && cd src \
 && find . -path ./cmd -prune -o -name testdata -prune -o -name '*.go' -print0 | xargs -0 cp --parents -t /goroot/src

# JupyterLab in a virtual environment, which needs no pip of its own at run time. Its bytecode stays: it halves the
# time to start. JupyterLab's pages come twice, and galata is its browser tests.
FROM ${BASE_IMAGE} AS jupyter
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv && rm -rf /var/lib/apt/lists/*
COPY notebooks/requirements.txt /tmp/
RUN python3 -m venv /tmp/pip && python3 -m venv --without-pip /opt/jupyter \
 && /tmp/pip/bin/pip --python /opt/jupyter/bin/python install --no-cache-dir --only-binary :all: -r /tmp/requirements.txt \
 && cd /opt/jupyter/lib/python3*/site-packages/jupyterlab && rm -r galata static && ln -s /opt/jupyter/share/jupyter/lab/static static

FROM ${BASE_IMAGE}
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY --from=jupyter /opt/jupyter /opt/jupyter
COPY --from=go /goroot /usr/local/share/go
COPY --from=go /src/bin/gophersnake /src/bin/gophernotes /usr/local/bin/
ENV PATH=/opt/jupyter/bin:$PATH GOROOT=/usr/local/share/go LANG=C.UTF-8 HOME=/home/gopher
# Home is open to all, so that `docker run --user` works with any number.
RUN gophersnake kernel install --prefix /usr/local \
 && useradd --uid 1000 --home-dir $HOME --shell /bin/bash gopher \
 && install -d -o gopher -g gopher -m 1777 $HOME /work /work/notebooks
COPY --chown=gopher:gopher notebooks/*.ipynb notebooks/README.md /work/notebooks/
COPY LICENSE /usr/local/share/doc/gophersnake/
USER gopher
WORKDIR /work
EXPOSE 8888
# The one address that Jupyter answers without a token.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
	CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:%s/api' % os.environ.get('JUPYTER_PORT', 8888), timeout=4)"]
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser"]
