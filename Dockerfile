# JupyterLab with everything the notebooks use; docker-compose.yml builds and starts it.
# On Linux x86_64 the package index gives PyTorch with CUDA: expect an image of several gigabytes
# and some minutes for the first build. No graphics card is needed. The build without CUDA is
# smaller: TORCH=torch-cpu, with the address of PyTorch's CPU index in PIP_EXTRA_INDEX_URL.
FROM python:3.12-slim-bookworm

# Libraries of the system that the wheels of OpenCV, RDKit and FiftyOne's database link against.
# Without versions: Debian removes an old one as soon as it has mended it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libcurl4 libexpat1 libgl1 libglib2.0-0 libsm6 libxext6 libxrender1 \
    && rm -rf /var/lib/apt/lists/*

# Not root. The folders exist and are the user's before a volume is mounted over one of them.
ARG UID=1000
RUN useradd --create-home --non-unique --uid "$UID" learner \
    && install --directory --owner=learner --group=learner \
        /home/learner/bootcamp /home/learner/.cache /home/learner/stores
WORKDIR /home/learner/bootcamp

# Before the rest of the project, so that a change to the project does not install all of it again.
# The locks have pip check the sha256 of every file.
ARG TORCH=torch
ARG PIP_EXTRA_INDEX_URL=
COPY locks ./locks
RUN pip install --no-cache-dir --root-user-action=ignore --no-deps \
        -r "locks/$TORCH.txt" -r locks/wheels.txt \
    && pip install --no-cache-dir --root-user-action=ignore --no-deps --no-build-isolation \
        -r locks/source.txt

COPY --chown=learner:learner . .
RUN pip install --no-cache-dir --root-user-action=ignore --no-deps --no-build-isolation \
    --editable .

USER learner
EXPOSE 8888
# The token comes from JUPYTER_TOKEN.
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser", "--ServerApp.root_dir=notebooks"]
