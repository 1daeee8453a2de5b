# The image with a champion in it, for where no folder can be shared with the pipelines. The context
# is a publication: `make image-with-model`.
ARG IMAGE=grocery-demand:latest
FROM ${IMAGE}
COPY --chown=10001:10001 . /app/publication
ARG MODEL_VERSION
ENV PUBLICATION_DIR=/app/publication
LABEL grocery-demand.model-version="${MODEL_VERSION}"
